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
            Some((host, _)) if is_registry(host) => self.0.clone(),
            Some(_) => format!("docker.io/{}", self.0),
        }
    }

    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once(':').unwrap_or((&self.0, "latest"))
    }
}

/// The longest name without its tag; newer engines count only the part behind the registry.
const NAME_LENGTH: usize = 255;

/// The longest tag.
const TAG_LENGTH: usize = 128;

impl FromStr for ImageName {
    type Err = Error;

    /// Reads `[registry[:port]/]path[:tag]` as every engine takes it (distribution/reference, "Grammar"; Docker's short names
    /// stay as they are).
    fn from_str(text: &str) -> Result<Self> {
        let Err(why) = check(text) else {
            let is_tagged = text.rsplit('/').next().is_some_and(|last| last.contains(':'));
            return Ok(Self(if is_tagged { text.to_owned() } else { format!("{text}:latest") }));
        };
        let (name, tag) = text.rsplit_once(':').unwrap_or((text, "latest"));
        let small = format!("{}:{tag}", name.to_ascii_lowercase());
        let meant = if check(&small).is_ok() { format!("; did you mean {small}?") } else { String::new() };
        Err(Error::usage(format!(
            "expected an image name such as app:v2 or registry.example/app:v2, found `{text}`: {why}{meant}"
        )))
    }
}

/// Says why something is no name.
fn check(text: &str) -> Result<(), &'static str> {
    let (registry, rest) = match text.split_once('/') {
        Some((first, rest)) if is_registry(first) => (Some(first), rest),
        _ => (None, text),
    };
    let (path, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
    if text.contains('@') {
        Err("a digest cannot be given to an image")
    } else if registry.is_some_and(|registry| !is_host_and_port(registry)) {
        Err("its registry is no host with or without a port")
    } else if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Err("what comes before the tag is written in small letters")
    } else if !path.split('/').all(is_component) {
        Err("its parts are small letters and digits, with single `.`, `_`, `__` or dashes between them")
    } else if registry.is_none() && path == "sha256" {
        Err("it reads as a digest")
    } else if registry.is_none() && path.len() == 64 && path.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Err("64 hexadecimal digits are an ID")
    } else if registry.map_or(0, |registry| registry.len() + 1) + path.len() > NAME_LENGTH {
        Err("it is longer than 255 bytes")
    } else if !is_tag(tag) {
        Err("a tag is up to 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two")
    } else {
        Ok(())
    }
}

fn is_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn is_host_and_port(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = address.map_or_else(
        || host.split('.').all(is_label),
        |address| !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':'),
    );
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Small letters and digits, with separators between them: one dot, one or two underscores, or dashes.
fn is_component(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_enclosed = text.bytes().next().is_some_and(is_plain) && text.bytes().last().is_some_and(is_plain);
    let mut separators = text.split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit());
    is_enclosed
        && separators
            .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    (1..=TAG_LENGTH).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
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
    fn what_every_engine_takes_is_a_name() {
        let long = "n".repeat(255);
        for text in [
            "app",
            "a/b/c/d:v1",
            "team/my-app_2.x__y--z:V1.0-rc_1",
            "localhost/app:v1",
            "Registry.Example:5000/team/app",
            "[2001:db8::1]:5000/app:v1",
            "127.0.0.1/app",
            "0:1",
            &long,
            &format!("app:{}", "T".repeat(128)),
            &format!("registry.example/{}", "a".repeat(64)),
        ] {
            assert!(text.parse::<ImageName>().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            ":v1",
            "app:",
            "-f",
            "a b",
            "../x",
            "a//b",
            "app:v1\n",
            "app:-x",
            "app:v1:v2",
            "/app",
            "app/",
            "app/:v1",
            "UPPER:v1",
            "App:NEXT",
            "Team/app",
            "app@sha256:00",
            "a..b",
            "a___b",
            "a._b",
            "app-",
            "_app",
            "app:.x",
            "app:v 1",
            "caf\u{e9}",
            "registry.example:port/app",
            "registry.example:/app",
            "-registry.example/app",
            "regis_try.x/app",
            "[::1/app",
            "registry.example/App",
            "sha256:v1",
            "sha256",
        ] {
            assert!(text.parse::<ImageName>().is_err(), "{text:?}");
        }
        for long in ["n".repeat(256), format!("app:{}", "t".repeat(129)), "a".repeat(64)] {
            assert!(long.parse::<ImageName>().is_err(), "{long}");
        }
    }

    #[test]
    fn the_name_that_was_probably_meant_is_named() {
        let error = "App:NEXT".parse::<ImageName>().unwrap_err();
        let expected =
            "found `App:NEXT`: what comes before the tag is written in small letters; did you mean app:NEXT?";
        assert!(error.to_string().ends_with(expected), "{error}");
        assert!(!"a b".parse::<ImageName>().unwrap_err().to_string().contains("did you mean"));
    }
}
