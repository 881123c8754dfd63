//! Errors as users see them, and the exit code of each kind.

use std::process::ExitCode;

use delta_core::error::{Error, Kind};

/// The exit code of an error.
pub fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.kind() {
        Kind::Internal => 1,
        Kind::Usage => 2,
        Kind::Environment => 3,
        Kind::Content => 4,
    })
}
