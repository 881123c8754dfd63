//! Which image is meant where a file or folder has several.

use delta_core::error::{Error, Result};
use delta_core::image::ImageName;

/// What a user wrote behind the path.
#[derive(Clone, Debug)]
pub(crate) enum Pick {
    /// Nothing: all images.
    All,
    /// A name or a tag.
    Called {
        /// As it was written.
        text: String,
        /// As a name, if it is one.
        name: Option<ImageName>,
    },
    /// `@1`, the second one (containers-transports(5), "source-index").
    At(usize),
}

impl From<Option<&str>> for Pick {
    fn from(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::All };
        match text.strip_prefix('@').and_then(|number| number.parse().ok()) {
            Some(number) => Self::At(number),
            None => Self::Called { text: text.to_owned(), name: text.parse().ok() },
        }
    }
}

impl Pick {
    pub(crate) const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether what stands at this place of a list is meant by its place.
    pub(crate) const fn is_at(&self, place: usize) -> bool {
        matches!(self, Self::At(meant) if *meant == place)
    }

    /// Whether this tag, or name as a layout writes it, is meant.
    pub(crate) fn is_tag(&self, tag: &str) -> bool {
        matches!(self, Self::Called { text, .. } if text == tag)
    }

    /// Whether this name is meant.
    pub(crate) fn is_name(&self, other: &ImageName) -> bool {
        matches!(self, Self::Called { name: Some(name), .. } if name.full() == other.full())
    }

    /// Those of the names that shall travel: the one that was asked for, else all.
    pub(crate) fn names(&self, names: &[ImageName]) -> Vec<ImageName> {
        let asked: Vec<ImageName> = names.iter().filter(|name| self.is_name(name)).cloned().collect();
        if asked.is_empty() { names.to_vec() } else { asked }
    }

    /// The error for something that is not `there`.
    pub(crate) fn absent<T>(&self, what: &str, there: &[String]) -> Result<T> {
        let meant = match self {
            Self::All => return Err(Error::content(format!("{what} holds no image"))),
            Self::Called { text, .. } => format!("`{text}`"),
            Self::At(place) => format!("`@{place}`, which counts from 0"),
        };
        let there = if there.is_empty() { "images without names".to_owned() } else { there.join(", ") };
        Err(Error::usage(format!("{what} holds no image {meant}; it holds {there}")))
    }
}

#[cfg(test)]
mod tests;
