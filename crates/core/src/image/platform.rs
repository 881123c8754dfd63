//! The systems that images run on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The system that an image runs on: `linux/amd64`, `linux/arm/v7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The operating system, in Go's spelling.
    pub os: String,
    /// The processor, in Go's spelling.
    pub architecture: String,
    /// The processor's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(formatter, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture, rest @ ..] if rest.len() <= 1 && parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                os: (*os).to_owned(),
                architecture: (*architecture).to_owned(),
                variant: rest.first().map(|variant| (*variant).to_owned()),
            }),
            _ => Err(Error::usage(format!("expected a platform such as linux/amd64, found `{text}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_print_as_they_parse() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        let parsed: Platform = "linux/arm/v7".parse().unwrap();
        assert_eq!(
            (parsed.os.as_str(), parsed.architecture.as_str(), parsed.variant.as_deref()),
            ("linux", "arm", Some("v7"))
        );
        for text in ["", "linux", "/", "linux/", "/amd64", "linux//v7", "linux/arm/", "linux/arm/v7/", "linux/arm/v7/x"]
        {
            let error = text.parse::<Platform>().unwrap_err();
            assert_eq!(error.kind(), crate::Kind::Usage);
            assert_eq!(error.to_string(), format!("expected a platform such as linux/amd64, found `{text}`"));
        }
    }
}
