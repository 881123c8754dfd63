//! Standard output, which is for data only: a library that prints must not get between.

use std::fs::File;
use std::io;
use std::sync::OnceLock;

use crate::system;

static KEPT: OnceLock<File> = OnceLock::new();

/// Keeps standard output for what [`get`] gives. What else is printed in this program, as the debugging of a library is, goes
/// nowhere from now on, where the system can do that.
///
/// # Errors
/// What the system reports.
pub fn keep() -> io::Result<()> {
    if KEPT.get().is_none() {
        let kept = system::stdout()?;
        system::silence_stdout()?;
        KEPT.get_or_init(|| kept);
    }
    Ok(())
}

/// Standard output, kept or not.
///
/// # Errors
/// What the system reports.
pub fn get() -> io::Result<File> {
    match KEPT.get() {
        Some(kept) => kept.try_clone(),
        None => system::stdout(),
    }
}
