//! Errors as users and scripts see them, and the exit code of each kind.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use delta_core::error::{Error, Kind};
use serde::Serialize;

/// What `--json` prints when a command fails.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    error: Failure<'a>,
}

/// An error in a report.
#[derive(Serialize)]
pub(crate) struct Failure<'a> {
    kind: &'static str,
    pub(crate) message: String,
    hint: Option<&'a str>,
    exit_code: u8,
}

impl<'a> From<&'a Error> for Failure<'a> {
    fn from(error: &'a Error) -> Self {
        let kind = error.kind();
        Self { kind: kind.name(), message: error.to_string(), hint: error.hint(), exit_code: number(kind) }
    }
}

/// The exit code of an error.
pub fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(number(error.kind()))
}

/// The error as a report.
pub(crate) fn report(error: &Error) -> impl Serialize {
    Report { schema: 1, error: Failure::from(error) }
}

const fn number(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        Kind::Usage => 2,
        Kind::Environment => 3,
        Kind::Content => 4,
    }
}

/// What was typed and cannot be read, said like every other error; nothing where the help or the version is to be shown.
pub(crate) fn usage(typed: &clap::Error) -> Option<Error> {
    match typed.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            None
        }
        ErrorKind::MissingRequiredArgument if lacks_only_images(typed) => {
            Some(Error::usage(ONE_NAME).with_hint("docker_delta create app:v2 app.ddelta --base app:v1"))
        }
        _ if may_hold_a_password(typed) => Some(without_value(typed)),
        _ => Some(translated(&typed.render().to_string())),
    }
}

/// Whether a value that cannot be read is a URL with a user's name in it.
fn may_hold_a_password(typed: &clap::Error) -> bool {
    let value = typed.get(ContextKind::InvalidValue);
    matches!(value, Some(ContextValue::String(text)) if text.contains("://") && text.contains('@'))
}

/// What is wrong, but not with what.
fn without_value(typed: &clap::Error) -> Error {
    let reason = std::error::Error::source(typed);
    let message = reason.map_or_else(|| "what is given cannot be read".to_owned(), ToString::to_string);
    let error = Error::usage(message);
    match reason.and_then(|reason| reason.downcast_ref::<Error>()).and_then(Error::hint) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

const ONE_NAME: &str =
    "`create` takes the images and then the package to write: at least two names; only one was given";

/// `create IMAGE` or `create PACKAGE`: which of the two was forgotten is not ours to guess.
fn lacks_only_images(typed: &clap::Error) -> bool {
    let lacking = typed.get(ContextKind::InvalidArg);
    lacking.is_some_and(|names| matches!(names, ContextValue::Strings(names) if names == &["<IMAGE>..."]))
}

/// Takes the error's first paragraph for the message, and the others for the hint.
fn translated(said: &str) -> Error {
    let line = |paragraph: &str| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut paragraphs = said.trim().split("\n\n").map(line);
    let message = paragraphs.next().unwrap_or_default();
    let advice = |text: String| {
        let text = text.replace("tip: ", "").replace("Usage: ", "usage: ").replace("For more", "for more");
        text.trim_end_matches('.').to_owned()
    };
    let hint = paragraphs.map(advice).collect::<Vec<_>>().join("; ");
    Error::usage(message.strip_prefix("error: ").unwrap_or(&message)).with_hint(hint)
}
