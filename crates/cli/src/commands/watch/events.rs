//! What a watch tells: to a person on stderr, and with --json to a program, one event a line.

use std::ffi::OsStr;

use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_transport::inbox::Filed;
use serde::Serialize;
use serde::ser::Error as _;

use crate::failure::Failure;
use crate::session::Session;
use crate::terminal;

/// Something that happened.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event<'a> {
    /// The folder is watched from now on.
    Started { folder: &'a str },
    /// Something in it is no package.
    PassedOver { name: &'a str, reason: &'a str },
    /// A package has its turn.
    Applying { name: &'a str },
    /// A package may become whole yet.
    Waiting { name: &'a str, reason: &'a str, seconds: u64 },
    /// A package is tried again.
    Postponed { name: &'a str, error: Failure<'a>, seconds: u64 },
    /// A package was applied.
    Done {
        name: &'a str,
        #[serde(flatten)]
        filed: &'a Filed,
        #[serde(rename = "applied", serialize_with = "raw")]
        report: &'a str,
    },
    /// A package was refused.
    Failed {
        name: &'a str,
        #[serde(flatten)]
        filed: &'a Filed,
        error: Failure<'a>,
    },
    /// The watch ends.
    Stopped { done: u64, failed: u64 },
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// Whoever listens.
pub(super) struct Events<'a> {
    session: &'a Session,
}

impl<'a> Events<'a> {
    pub(super) const fn new(session: &'a Session) -> Self {
        Self { session }
    }

    /// Tells of an event. A listener that has gone is no error.
    pub(super) fn tell(&self, event: &Event<'_>) -> Result<()> {
        self.say(event);
        if self.session.common.talk.json { terminal::print_json_line(&Line { schema: 1, event }) } else { Ok(()) }
    }

    fn say(&self, event: &Event<'_>) {
        let terminal = &self.session.terminal;
        match event {
            Event::Started { folder } => terminal.inform(format_args!("{folder} is watched")),
            Event::PassedOver { name, reason } => terminal.inform(format_args!("{name} is passed over: {reason}")),
            Event::Applying { name } => terminal.detail(format_args!("{name} has its turn")),
            Event::Waiting { name, reason, seconds: 0 } => terminal.inform(format_args!("{name} stays: {reason}")),
            Event::Waiting { name, reason, seconds } => {
                terminal
                    .inform(format_args!("{name} is waited for until it was unchanged for {seconds} s more: {reason}"));
            }
            Event::Postponed { name, error, seconds } => {
                terminal.inform(format_args!("{name} is tried again in {seconds} s: {}", error.message));
            }
            Event::Done { name, filed, .. } => {
                terminal.inform(format_args!("{name} is applied, and is {} now", filed.package))
            }
            Event::Failed { name, filed, error } => {
                terminal.inform(format_args!("{name} is refused, and is {} now: {}", filed.package, error.message));
            }
            Event::Stopped { done, failed } => {
                terminal.inform(format_args!("{done} packages were applied, {failed} refused"))
            }
        }
    }
}

/// How a name is told that may have any bytes.
pub(super) fn shown(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// A report that is JSON already, in one line.
fn raw<S: serde::Serializer>(report: &str, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let value: serde_json::Value = serde_json::from_str(report).map_err(S::Error::custom)?;
    value.serialize(serializer)
}
