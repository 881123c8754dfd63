//! Standard output, which is for data only: a library that prints must not get between.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::OnceLock;

use rustix::fs::{MemfdFlags, memfd_create};

static KEPT: OnceLock<File> = OnceLock::new();

/// Keeps standard output for what [`get`] gives. What else is printed in this program, as the debugging of a library is, goes
/// nowhere from now on.
///
/// # Errors
/// What the system reports.
pub fn keep() -> io::Result<()> {
    if KEPT.get().is_none() {
        let nowhere = File::options().write(true).open("/dev/null").or_else(|_| without_devices())?;
        let kept = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        rustix::stdio::dup2_stdout(nowhere)?;
        KEPT.get_or_init(|| kept);
    }
    Ok(())
}

/// What takes all that is written, in a root folder that has nothing but the program.
fn without_devices() -> io::Result<File> {
    Ok(memfd_create("nowhere", MemfdFlags::CLOEXEC)?.into())
}

/// Standard output, kept or not.
///
/// # Errors
/// What the system reports.
pub fn get() -> io::Result<File> {
    match KEPT.get() {
        Some(kept) => kept.try_clone(),
        None => io::stdout().as_fd().try_clone_to_owned().map(File::from),
    }
}
