//! One try to apply a package: this program's own `apply`, in a process of its own.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use delta_core::error::{Error, Kind, Result};
use delta_transport::inbox::{Arrival, Copy};
use rustix::process::Pid;
use serde::Deserialize;

use super::settings::Settings;
use crate::arguments::Common;
use crate::failure;
use crate::password::NOBODY_IS_ASKED;
use crate::signals::Stop;

/// This program, also where its file was replaced meanwhile.
const OURSELVES: &str = "/proc/self/exe";

/// The most bytes of a report: some 100 for each layer.
const REPORT_BYTES: u64 = 64 << 20;

/// The longest name of a file on Linux, without the ending of an archive.
const LONGEST_STEM: usize = 255 - ".tar".len();

/// What became of it.
pub(super) enum Outcome {
    /// It is applied; the report of `apply --json`.
    Applied(String),
    /// It cannot be applied, as it is.
    Refused(Error),
    /// Something around is missing.
    Postponed(Error),
    /// It may become whole yet, for this reason.
    Incomplete(String),
    /// Somebody writes there, or this was told to stop.
    Unfinished,
}

/// How packages are applied.
pub(super) struct Attempt {
    /// What the program is called: as a plugin of Docker's client it takes that one's options before its own.
    name: &'static str,
    /// The words behind its name: all but the package and what depends on it.
    words: Vec<OsString>,
    /// The folder that gets an archive of each.
    output: Option<PathBuf>,
    /// What comes behind the package.
    target: Option<String>,
}

/// What `apply --json` prints when it fails.
#[derive(Deserialize)]
struct Failed {
    error: Said,
}

#[derive(Deserialize)]
struct Said {
    message: String,
    hint: Option<String>,
}

impl Attempt {
    pub(super) fn new(common: &Common, settings: &Settings) -> Result<Self> {
        let output = settings.output().map(ToOwned::to_owned);
        let words = settings.words(common)?;
        let globals = &common.engine_arguments;
        let (name, words) = if globals.is_empty() {
            ("docker_delta", words)
        } else {
            let globals = globals.iter().map(Into::into);
            ("docker-delta", globals.chain(["delta".into()]).chain(words).collect())
        };
        Ok(Self { name, words, output, target: settings.target() })
    }

    /// Applies the copy of an arrival.
    pub(super) fn apply(&self, copy: &Copy, arrival: &Arrival, stop: &Stop) -> Result<Outcome> {
        let mut command = Command::new(OURSELVES);
        command.arg0(self.name).args(&self.words);
        if let Some(output) = &self.output {
            command.arg("--output").arg(output.join(archive(&arrival.name)));
        }
        command.arg("--").arg(typed(copy.package())).args(&self.target);
        command.current_dir(copy.folder()).env(NOBODY_IS_ASKED, "1").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io("starting `docker_delta apply`"))?;
        let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let process = process.ok_or_else(|| Error::internal("a process without a number"))?;
        let said = stop.with_running(process, || heard(&mut child));
        let status = child.wait().map_err(Error::io("waiting for `docker_delta apply`"))?;
        Ok(if stop.is_asked() && !status.success() { Outcome::Unfinished } else { judged(status, &said) })
    }
}

/// What the archive of a package is called, in no more bytes than a name may have.
fn archive(package: &OsStr) -> OsString {
    let text = package.to_string_lossy();
    let stem = text.strip_suffix(".ddelta").filter(|stem| !stem.is_empty()).unwrap_or(&text);
    let most = (0..=LONGEST_STEM).rev().find(|at| stem.is_char_boundary(*at)).unwrap_or_default();
    format!("{}.tar", stem.get(..most).unwrap_or(stem)).into()
}

/// A name that is neither an option nor standard input.
fn typed(name: &OsStr) -> OsString {
    if name.as_bytes().starts_with(b"-") {
        let mut path = OsString::from("./");
        path.push(name);
        return path;
    }
    name.to_owned()
}

/// What it prints. What cannot be read is no report, and told as that.
fn heard(child: &mut Child) -> String {
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let _ = stdout.take(REPORT_BYTES).read_to_end(&mut said);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn judged(status: ExitStatus, said: &str) -> Outcome {
    let told = |kind| {
        let parsed = serde_json::from_str::<Failed>(said).ok();
        parsed.map(|Failed { error: Said { message, hint } }| Error::Other { kind, message, hint })
    };
    let code = status.code();
    let ended = || Error::environment(format!("`docker_delta apply` was ended from outside: {status}"));
    let crashed = |status| Error::internal(format!("`docker_delta apply` ended without a word: {status}"));
    match (code, status.signal()) {
        (Some(0), _) if serde_json::from_str::<serde::de::IgnoredAny>(said).is_ok() => {
            Outcome::Applied(said.to_owned())
        }
        (Some(2), _) => Outcome::Refused(told(Kind::Usage).unwrap_or_else(|| crashed(status))),
        (Some(3), _) => Outcome::Postponed(told(Kind::Environment).unwrap_or_else(|| crashed(status))),
        (Some(4), _) => Outcome::Refused(told(Kind::Content).unwrap_or_else(|| crashed(status))),
        // Signals that it heard, and those that nobody hears: a person or the system wanted it to end, and the package is not to blame.
        (Some(129 | 130 | 143), _) | (_, Some(1 | 2 | 15)) => Outcome::Postponed(ended()),
        (_, Some(9)) => Outcome::Postponed(ended().with_hint("the system does so where memory is short")),
        _ => Outcome::Refused(told(Kind::Internal).unwrap_or_else(|| crashed(status))),
    }
}

/// An error as `apply --json` prints it.
pub(super) fn report(error: &Error) -> Result<String> {
    let text =
        serde_json::to_string_pretty(&failure::report(error)).map_err(|error| Error::internal(error.to_string()))?;
    Ok(format!("{text}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(raw: i32, said: &str) -> (&'static str, Option<Kind>) {
        match judged(ExitStatus::from_raw(raw), said) {
            Outcome::Applied(_) => ("applied", None),
            Outcome::Refused(error) => ("refused", Some(error.kind())),
            Outcome::Postponed(error) => ("postponed", Some(error.kind())),
            Outcome::Incomplete(_) | Outcome::Unfinished => unreachable!("an end is neither"),
        }
    }

    #[test]
    fn what_an_end_means() {
        let error = r#"{"error": {"message": "m", "hint": null}}"#;
        let exited = |code: i32, said| outcome(code << 8, said);
        assert_eq!(exited(0, "{}"), ("applied", None));
        assert_eq!(exited(0, "{"), ("refused", Some(Kind::Internal)));
        assert_eq!(exited(1, error), ("refused", Some(Kind::Internal)));
        assert_eq!(exited(2, error), ("refused", Some(Kind::Usage)));
        assert_eq!(exited(3, error), ("postponed", Some(Kind::Environment)));
        assert_eq!(exited(4, error), ("refused", Some(Kind::Content)));
        assert_eq!(exited(4, ""), ("refused", Some(Kind::Internal)));
        assert_eq!(exited(143, ""), ("postponed", Some(Kind::Environment)));
        // Killed, and crashed.
        assert_eq!(outcome(9, ""), ("postponed", Some(Kind::Environment)));
        assert_eq!(outcome(6, ""), ("refused", Some(Kind::Internal)));
    }

    #[test]
    fn archives_are_called_like_packages() {
        for (package, expected) in [("app.ddelta", "app.tar"), ("app.run", "app.run.tar"), (".ddelta", ".ddelta.tar")] {
            assert_eq!(archive(OsStr::new(package)), expected);
        }
        assert_eq!(archive(OsStr::new(&"n".repeat(255))).len(), 255);
        assert_eq!(archive(OsStr::new(&"é".repeat(127))).to_str().unwrap().chars().count(), 125 + 4);
    }

    #[test]
    fn no_name_is_an_option() {
        assert_eq!(typed(OsStr::new("-")), "./-");
        assert_eq!(typed(OsStr::new("--help")), "./--help");
        assert_eq!(typed(OsStr::new("a b")), "a b");
    }
}
