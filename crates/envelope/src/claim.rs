//! What the signed comment says of a package: which one it is, what it brings, and which of several is the later one.
//!
//! What a claim says must be true: whoever takes a signature for that of another package, or an older package for the latest, is told.

use std::fmt;

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::image::ImageName;
use delta_core::package::metadata::{ImageEntry, Metadata};

use crate::limits::CLAIMED_NAMES_BYTES;

/// The word that a claim of this form starts with, which is a feature of its own.
pub(crate) const FEATURE: &str = "docker_delta-signature-1";

/// What every form of a claim starts with.
const PREFIX: &str = "docker_delta-signature-";

/// A claim; what it leaves out it does not claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The digest with which the package closes.
    pub package: Option<BlobDigest>,
    /// Which of several packages is the later one.
    pub sequence: Option<u64>,
    /// What it brings, as [`brought`] says it.
    pub brings: Option<String>,
}

impl Claim {
    /// What a signed comment claims; a comment of any other program claims nothing.
    ///
    /// # Errors
    /// Content errors for a claim of another version or form.
    pub fn parse(comment: &str) -> Result<Option<Self>> {
        if !comment.starts_with(PREFIX) {
            return Ok(None);
        }
        let claim = Self::parsed(comment);
        claim.map(Some).ok_or_else(|| {
            Error::content(format!("the signed comment is in no form that is known here: {comment}"))
                .with_hint("a newer version of docker_delta may know it")
        })
    }

    fn parsed(comment: &str) -> Option<Self> {
        let mut claim = Self::default();
        let mut rest = comment.strip_prefix(FEATURE)?;
        if let Some(after) = rest.strip_prefix(" package=") {
            let (digest, after) = after.split_at_checked(after.find(' ').unwrap_or(after.len()))?;
            (claim.package, rest) = (Some(digest.parse().ok()?), after);
        }
        if let Some(after) = rest.strip_prefix(" sequence=") {
            let (number, after) = after.split_at_checked(after.find(' ').unwrap_or(after.len()))?;
            (claim.sequence, rest) = (Some(number.parse().ok()?), after);
        }
        if let Some(after) = rest.strip_prefix(" brings=") {
            (claim.brings, rest) = (Some(after.to_owned()), "");
        }
        (rest.is_empty() && claim.to_string() == comment).then_some(claim)
    }

    /// Fails when the package has another digest.
    ///
    /// # Errors
    /// A mismatch.
    pub(crate) fn require_digest(&self, digest: BlobDigest) -> Result<()> {
        match self.package {
            Some(claimed) if claimed != digest => Err(Error::Mismatch {
                what: "the package that the signature names".to_owned(),
                expected: claimed.to_string(),
                found: digest.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Fails when the package brings something else.
    ///
    /// # Errors
    /// A mismatch.
    pub(crate) fn require_brought(&self, metadata: &Metadata) -> Result<()> {
        let found = brought(metadata);
        match &self.brings {
            Some(claimed) if *claimed != found => Err(Error::Mismatch {
                what: "what the package brings, as the signature says".to_owned(),
                expected: claimed.clone(),
                found,
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(FEATURE)?;
        if let Some(package) = &self.package {
            write!(formatter, " package={package}")?;
        }
        if let Some(sequence) = self.sequence {
            write!(formatter, " sequence={sequence}")?;
        }
        match &self.brings {
            Some(brings) => write!(formatter, " brings={brings}"),
            None => Ok(()),
        }
    }
}

/// The names of what a package brings, with a comma between two; of what has no name the digest. As many as fit, then how many more.
pub fn brought(metadata: &Metadata) -> String {
    let mut names: Vec<String> = metadata.images.iter().flat_map(names_of).collect();
    names.extend(metadata.stream.iter().map(|stream| stream.target.to_string()));
    let mut text = String::new();
    for (number, name) in names.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        if text.len() + comma.len() + name.len() > CLAIMED_NAMES_BYTES {
            return format!("{text},+{}", names.len() - number);
        }
        text.push_str(comma);
        text.push_str(name);
    }
    text
}

fn names_of(image: &ImageEntry) -> Vec<String> {
    match image.names.as_slice() {
        [] => vec![image.root.digest.to_string()],
        names => names.iter().map(ImageName::to_string).collect(),
    }
}

#[cfg(test)]
mod tests;
