//! Talks to the user: data to stdout, everything else to stderr.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use delta_core::error::{Error, Result};
use delta_core::job::progress::{Progress, Task};
use delta_transport::stdout;
use indicatif::{DecimalBytes, HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use owo_colors::OwoColorize;

/// A run that takes less than this shows no progress bar ...
const PATIENCE: Duration = Duration::from_secs(1);

/// ... and a piece of work in it that takes less than this.
const BRIEF: Duration = Duration::from_millis(200);

/// How often bars are drawn.
const PACE: Duration = Duration::from_millis(100);

/// The most characters that say what a bar is of; 80 columns then hold it, figures, and some of the bar.
const CAPTION: usize = 36;

/// The user's terminal, or whatever stands in its place.
#[derive(Clone)]
pub(crate) struct Terminal {
    loudness: Loudness,
    bars: Option<MultiProgress>,
    ticker: Arc<Ticker>,
    started: Instant,
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
        Self { loudness, bars: is_watched.then(MultiProgress::new), ticker: Arc::default(), started: Instant::now() }
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

/// What a bar is of, in one short line.
fn caption(what: &str) -> String {
    let text = escaped(what).replace(['\n', '\t'], " ");
    match text.char_indices().nth(CAPTION) {
        None => text,
        Some(_) => text.chars().take(CAPTION - 1).chain(['…']).collect(),
    }
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

/// Writes one of many reports to stdout, in a line of its own.
#[cfg(target_os = "linux")]
pub(crate) fn print_json_line(value: &impl serde::Serialize) -> Result<()> {
    REPORTED.store(true, Ordering::Relaxed);
    let text = serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))?;
    print(&format!("{text}\n"))
}

/// Writes the report of an error, unless the command's own says what came of it: one call, one document.
pub(crate) fn print_json_error(value: &impl serde::Serialize) -> Result<()> {
    if REPORTED.load(Ordering::Relaxed) { Ok(()) } else { print_json(value) }
}

impl Progress for Terminal {
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        let Some(bars) = &self.bars else { return Box::new(Bar(None)) };
        let patience = PATIENCE.saturating_sub(self.started.elapsed()).max(BRIEF);
        let bar = Bar::new(what, total, bars, patience);
        bar.0.iter().for_each(|piece| self.ticker.add(piece));
        Box::new(bar)
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
struct Bar(Option<Arc<Piece>>);

struct Piece {
    what: String,
    total: Option<u64>,
    started: Instant,
    /// When it is worth a bar.
    patience: Duration,
    done: AtomicU64,
    bars: MultiProgress,
    shown: Mutex<Shown>,
}

/// What is seen of a piece of work.
#[derive(Default)]
struct Shown {
    bar: Option<ProgressBar>,
    has_ended: bool,
}

impl Bar {
    fn new(what: &str, total: Option<u64>, bars: &MultiProgress, patience: Duration) -> Self {
        Self(Some(Arc::new(Piece {
            what: caption(what),
            total,
            started: Instant::now(),
            patience,
            done: AtomicU64::new(0),
            bars: bars.clone(),
            shown: Mutex::default(),
        })))
    }
}

impl Piece {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows how far it is, once it has taken long enough to be wondered at.
    fn show(&self) {
        let mut shown = self.shown();
        if shown.has_ended || self.started.elapsed() < self.patience {
            return;
        }
        let done = self.done.load(Ordering::Relaxed);
        let bar = shown.bar.get_or_insert_with(|| self.draw());
        bar.set_position(self.total.map_or(done, |total| done.min(total)));
        bar.tick();
    }

    fn draw(&self) -> ProgressBar {
        let (template, bar) = match self.total {
            Some(total) => ("{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {pace}", ProgressBar::new(total)),
            None if self.done.load(Ordering::Relaxed) == 0 => ("{msg} {spinner} {elapsed}", ProgressBar::no_length()),
            None => ("{msg} {spinner} {decimal_bytes} {decimal_bytes_per_sec} {elapsed}", ProgressBar::no_length()),
        };
        // What was done before the bar appeared took its time, too.
        let bar = self.bars.add(bar.with_message(self.what.clone()).with_elapsed(self.started.elapsed()));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("pace", pace));
        }
        bar
    }
}

/// How fast it goes, and how long it will take; nothing is known before the first byte.
fn pace(state: &ProgressState, out: &mut dyn fmt::Write) {
    if state.pos() > 0 {
        let speed = u128::from(state.pos()) * 1000 / state.elapsed().as_millis().max(1);
        let speed = DecimalBytes(u64::try_from(speed).unwrap_or(u64::MAX));
        // A bar that cannot be written is one that nobody sees.
        let _ = write!(out, "{speed}/s {:#} left", HumanDuration(state.eta()));
    }
}

impl Task for Bar {
    fn advance(&self, bytes: u64) {
        if let Some(piece) = &self.0 {
            piece.done.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let Some(piece) = &self.0 else { return };
        let mut shown = piece.shown();
        shown.has_ended = true;
        if let Some(bar) = shown.bar.take() {
            bar.finish_and_clear();
            piece.bars.remove(&bar);
        }
    }
}

/// Shows the pieces of work that are going on at a steady pace, whether or not they tell of themselves.
#[derive(Default)]
struct Ticker {
    pieces: Mutex<Vec<Weak<Piece>>>,
    runs: AtomicBool,
}

impl Ticker {
    fn add(self: &Arc<Self>, piece: &Arc<Piece>) {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(piece));
        if !self.runs.swap(true, Ordering::Relaxed) {
            let ticker = Arc::downgrade(self);
            thread::spawn(move || {
                while let Some(ticker) = ticker.upgrade() {
                    ticker.tick();
                    thread::sleep(PACE);
                }
            });
        }
    }

    fn tick(&self) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.retain(|piece| piece.upgrade().inspect(|piece| piece.show()).is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_short_and_obeyed_by_no_terminal() {
        assert_eq!(caption("Reading v1.tar"), "Reading v1.tar");
        assert_eq!(caption(&"é".repeat(CAPTION)).chars().count(), CAPTION);
        let long = caption(&"é".repeat(CAPTION + 1));
        assert_eq!((long.chars().count(), long.ends_with("é…")), (CAPTION, true));
        assert_eq!(caption("a\u{1b}[2J\nb\tc"), "a\\u{1b}[2J b c");
    }
}
