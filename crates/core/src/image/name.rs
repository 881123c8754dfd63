//! The names that images have in engines and registries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The name of an image with its tag, as an engine prints it: `app:v2`, `registry.example/team/app:v2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageName(String);

impl ImageName {
    /// The name as it was written, with the tag `latest` where none was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The repository part, without the tag.
    pub fn repository(&self) -> &str {
        self.split().0
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        self.split().1
    }

    /// The name with its registry, as OCI annotations and podman want it: `docker.io/library/app:v2`.
    pub fn full(&self) -> String {
        match self.0.split_once('/') {
            None => format!("docker.io/library/{}", self.0),
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => self.0.clone(),
            Some(_) => format!("docker.io/{}", self.0),
        }
    }

    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once(':').unwrap_or((&self.0, "latest"))
    }
}

impl FromStr for ImageName {
    type Err = Error;

    /// Reads `[registry[:port]/]path[:tag]` (OCI distribution-spec, "Pulling manifests").
    fn from_str(text: &str) -> Result<Self> {
        let last = text.rsplit('/').next().unwrap_or_default();
        let named = if last.contains(':') { text.to_owned() } else { format!("{text}:latest") };
        let (repository, tag) = named.rsplit_once(':').unwrap_or_default();
        let plain =
            |extra: &'static str| move |character: char| character.is_ascii_alphanumeric() || extra.contains(character);
        let good_tag = (1..=128).contains(&tag.len()) && tag.chars().all(plain("_.-")) && !tag.starts_with(['.', '-']);
        let good_repository = repository.len() <= 512
            && repository.chars().all(plain("_.-/:"))
            && repository.split('/').all(|part| !part.is_empty() && !part.starts_with(['.', '-', '_', ':']));
        if good_tag && good_repository {
            Ok(Self(named))
        } else {
            Err(Error::usage(format!(
                "expected an image name such as app:v2 or registry.example/app:v2, found `{text}`"
            )))
        }
    }
}

impl TryFrom<String> for ImageName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ImageName> for String {
    fn from(name: ImageName) -> Self {
        name.0
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_a_tag_and_a_registry() {
        let name: ImageName = "app".parse().unwrap();
        assert_eq!((name.as_str(), name.full().as_str()), ("app:latest", "docker.io/library/app:latest"));
        let name: ImageName = "127.0.0.1:5000/team/app:v2".parse().unwrap();
        assert_eq!((name.repository(), name.tag()), ("127.0.0.1:5000/team/app", "v2"));
        assert_eq!(name.full(), "127.0.0.1:5000/team/app:v2");
        assert_eq!("t/tiny:v1".parse::<ImageName>().unwrap().full(), "docker.io/t/tiny:v1");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", ":v1", "app:", "-f", "a b", "../x", "a//b", "app:v1\n", "app:-x"] {
            assert!(text.parse::<ImageName>().is_err(), "{text:?}");
        }
    }
}
