//! What may be wrong with a package as a file.

use crate::error::Error;

/// It does not start like a package.
pub(super) fn no_package() -> Error {
    Error::content("this is no package of docker_delta: expected a tar that starts with metadata.json")
}

/// It starts like a package and does not go on like one.
pub(super) fn cut_off(what: &str) -> Error {
    Error::content(format!("the package is damaged or incomplete: {what}"))
        .with_hint("copy it again from where it was made")
}

/// It lacks a member.
pub(super) fn missing(name: &str) -> Error {
    Error::content(format!("the package has no member {name}"))
}
