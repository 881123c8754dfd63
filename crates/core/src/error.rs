//! What can go wrong, sorted by who can mend it.

use std::io;

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who can mend it; the programs turn it into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A fault of ours (exit code 1).
    Internal,
    /// What was asked for cannot be meant (exit code 2).
    Usage,
    /// Something around is missing: an engine, room, a base, a permission (exit code 3).
    Environment,
    /// The bytes are not what they should be: corrupt, other digest, unknown version (exit code 4).
    Content,
}

impl Kind {
    /// How the program's reports and documents call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::Environment => "environment",
            Self::Content => "content",
        }
    }
}

/// An error with what was being done, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the file or image.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes hash to another digest than the one that names them.
    #[error("{what}: expected {expected}, found {found}")]
    Mismatch {
        /// Which bytes, and where they came from.
        what: String,
        /// The digest or size that was promised.
        expected: String,
        /// The digest or size that the bytes have.
        found: String,
    },
    /// A text that should name something by its digest does not.
    #[error(transparent)]
    Digest(#[from] crate::digest::ParseDigestError),
    /// Anything else, with its kind and what to do next.
    #[error("{message}")]
    Other {
        /// Who can mend it.
        kind: Kind,
        /// What was being done, what was expected, what was found.
        message: String,
        /// What to do next, where we know it.
        hint: Option<String>,
    },
}

impl Error {
    /// For `map_err`: `source` happened while `doing` something. An error of ours that came through [`io::Error`] keeps its kind
    /// and hint.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.downcast::<Self>() {
            Ok(ours) => ours.within(&doing.into()),
            Err(source) => Self::Io { doing: doing.into(), source },
        }
    }

    /// A fault of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Other { kind: Kind::Internal, message: message.into(), hint: None }
    }

    /// The bytes are wrong.
    pub fn content(message: impl Into<String>) -> Self {
        Self::Other { kind: Kind::Content, message: message.into(), hint: None }
    }

    /// The surroundings lack something.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::Other { kind: Kind::Environment, message: message.into(), hint: None }
    }

    /// The request cannot be meant.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Other { kind: Kind::Usage, message: message.into(), hint: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Other { kind, message, .. } => Self::Other { kind, message, hint: Some(hint.into()) },
            other => Self::Other { kind: other.kind(), message: other.to_string(), hint: Some(hint.into()) },
        }
    }

    /// Says where it happened: in which file or image.
    #[must_use]
    pub fn within(self, place: &str) -> Self {
        let (kind, hint) = (self.kind(), self.hint().map(str::to_owned));
        Self::Other { kind, message: format!("{place}: {self}"), hint }
    }

    /// Who can mend it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Kind::Content,
                _ => Kind::Environment,
            },
            Self::Mismatch { .. } | Self::Digest(_) => Kind::Content,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// What to do next, where we know it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Other { hint, .. } => hint.as_deref(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some room, or name a folder with more of it: --temp-dir DIR")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::BlobDigest;

    fn io_error(kind: io::ErrorKind) -> Error {
        Error::io("reading a file")(kind.into())
    }

    #[test]
    fn who_can_mend_it_is_told_by_what_happened() {
        for (kind, expected) in [
            (io::ErrorKind::InvalidData, Kind::Content),
            (io::ErrorKind::UnexpectedEof, Kind::Content),
            (io::ErrorKind::NotFound, Kind::Environment),
            (io::ErrorKind::PermissionDenied, Kind::Environment),
            (io::ErrorKind::StorageFull, Kind::Environment),
            (io::ErrorKind::InvalidInput, Kind::Environment),
            (io::ErrorKind::Other, Kind::Environment),
        ] {
            assert_eq!(io_error(kind).kind(), expected, "{kind:?}");
        }
        let mismatch = Error::Mismatch { what: "the blob".into(), expected: "a".into(), found: "b".into() };
        assert_eq!((mismatch.kind(), mismatch.to_string().as_str()), (Kind::Content, "the blob: expected a, found b"));
        assert_eq!(Error::from("x".parse::<BlobDigest>().unwrap_err()).kind(), Kind::Content);
        let made: [fn(&'static str) -> Error; 4] = [Error::internal, Error::usage, Error::environment, Error::content];
        let kinds = [Kind::Internal, Kind::Usage, Kind::Environment, Kind::Content];
        assert_eq!(made.map(|make| make("what").kind()), kinds);
        assert_eq!(kinds.map(Kind::name), ["internal", "usage", "environment", "content"]);
    }

    #[test]
    fn a_full_disk_has_a_hint_and_others_have_not() {
        assert!(io_error(io::ErrorKind::StorageFull).hint().is_some_and(|hint| hint.contains("--temp-dir")));
        assert_eq!(io_error(io::ErrorKind::NotFound).hint(), None);
        assert_eq!(Error::content("what").hint(), None);
    }

    #[test]
    fn a_hint_and_a_place_leave_the_kind_and_each_other() {
        for error in [io_error(io::ErrorKind::UnexpectedEof), io_error(io::ErrorKind::NotFound), Error::usage("what")] {
            let (kind, message) = (error.kind(), error.to_string());
            let hinted = error.with_hint("first").with_hint("do this");
            assert_eq!((hinted.kind(), hinted.to_string(), hinted.hint()), (kind, message.clone(), Some("do this")));
            let placed = hinted.within("the file x");
            assert_eq!((placed.kind(), placed.hint()), (kind, Some("do this")));
            assert_eq!(placed.to_string(), format!("the file x: {message}"));
        }
        let full = io_error(io::ErrorKind::StorageFull).within("the file x");
        assert!(full.hint().is_some_and(|hint| hint.contains("--temp-dir")), "the system's own hint stays too");
    }

    #[test]
    fn an_error_of_ours_comes_through_the_systems_errors() {
        let ours = io::Error::other(Error::usage("what").with_hint("do this"));
        let error = Error::io("reading a file")(ours);
        assert_eq!((error.kind(), error.hint()), (Kind::Usage, Some("do this")));
        assert_eq!(error.to_string(), "reading a file: what");
        let another = Error::io("reading a file")(io::Error::other("what"));
        assert_eq!((another.kind(), another.to_string().as_str()), (Kind::Environment, "reading a file: what"));
    }
}
