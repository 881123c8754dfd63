//! Talks to the user: data to stdout, everything else to stderr.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use delta_core::error::{Error, Result};
use delta_core::job::progress::{Progress, Task};
use delta_transport::stdout;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use owo_colors::OwoColorize;

/// What takes less than this gets no progress bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// The user's terminal, or whatever stands in its place.
pub(crate) struct Terminal {
    loudness: Loudness,
    bars: Option<MultiProgress>,
}

/// How much is said beside data and errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loudness {
    Quiet,
    Usual,
    Verbose,
}

impl Terminal {
    pub(crate) fn new(loudness: Loudness) -> Self {
        let is_watched = io::stderr().is_terminal() && loudness > Loudness::Quiet;
        Self { loudness, bars: is_watched.then(MultiProgress::new) }
    }

    /// Prints an error and what to do next.
    pub(crate) fn error(&self, error: &Error) {
        self.line(&"ERROR:".red().bold(), format_args!("{error}"));
        if let Some(hint) = error.hint() {
            self.line(&"hint:".cyan().bold(), format_args!("{hint}"));
        }
    }

    /// Writes a line to stderr, between the progress bars.
    fn line(&self, head: &dyn fmt::Display, message: fmt::Arguments<'_>) {
        let message = escaped(&message.to_string());
        // Nobody is left to be told when stderr is closed.
        let write = || {
            let _ = writeln!(anstream::stderr(), "{head} {message}");
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// The text with every character that a terminal would obey made visible: names come from images, and from hands that paste.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Writes data to stdout. A reader that has seen enough is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let stdout = stdout::get().map_err(Error::io("opening standard output"))?;
    let mut stdout = anstream::AutoStream::auto(stdout);
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("writing to standard output")(error)),
        _ => Ok(()),
    }
}

/// Whether a report stands on stdout already.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// Writes a report as JSON to stdout.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<()> {
    REPORTED.store(true, Ordering::Relaxed);
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::internal(error.to_string()))?;
    print(&format!("{text}\n"))
}

/// Writes the report of an error, unless the command's own says what came of it: one call, one document.
pub(crate) fn print_json_error(value: &impl serde::Serialize) -> Result<()> {
    if REPORTED.load(Ordering::Relaxed) { Ok(()) } else { print_json(value) }
}

impl Progress for Terminal {
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        Box::new(Bar {
            what: what.to_owned(),
            total,
            started: Instant::now(),
            bars: self.bars.clone(),
            state: Mutex::default(),
        })
    }

    fn inform(&self, message: fmt::Arguments<'_>) {
        if self.loudness > Loudness::Quiet {
            self.line(&"INFO:".green().bold(), message);
        }
    }

    fn detail(&self, message: fmt::Arguments<'_>) {
        if self.loudness == Loudness::Verbose {
            self.line(&"VERBOSE:".blue(), message);
        }
    }
}

/// A piece of work; its bar appears when it turns out to be long.
struct Bar {
    what: String,
    total: Option<u64>,
    started: Instant,
    bars: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: u64,
    bar: Option<ProgressBar>,
}

impl Bar {
    fn draw(&self, bars: &MultiProgress) -> ProgressBar {
        let (template, bar) = match self.total {
            Some(total) => {
                ("{msg:30!} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left", ProgressBar::new(total))
            }
            None => ("{msg:30!} {spinner} {bytes} {bytes_per_sec}", ProgressBar::no_length()),
        };
        let bar = bars.add(bar.with_message(self.what.clone()));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar
    }
}

impl Task for Bar {
    fn advance(&self, bytes: u64) {
        let Some(bars) = &self.bars else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += bytes;
        if state.bar.is_none() && self.started.elapsed() > PATIENCE {
            state.bar = Some(self.draw(bars));
        }
        if let Some(bar) = &state.bar {
            bar.set_position(state.done);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Some(bar), Some(bars)) = (state.bar.take(), &self.bars) {
            bar.finish_and_clear();
            bars.remove(&bar);
        }
    }
}
