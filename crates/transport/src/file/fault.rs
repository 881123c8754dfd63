//! What happened to a file while it was read, whatever becomes of the error on its way.
//!
//! Who reads through a decompressor or a decoder cannot tell a bad spot of the medium from damaged bytes, so that the user would be told to
//! copy again what is whole. The first fault of the medium in this process is kept here, and explains the error in the end.

use std::io;
use std::sync::{Mutex, PoisonError};

use delta_core::error::{Error, Kind};

/// The first fault, for people.
static FIRST: Mutex<Option<Fault>> = Mutex::new(None);

#[derive(Clone)]
struct Fault {
    message: String,
    hint: &'static str,
}

impl Fault {
    fn note(self) -> io::Error {
        let error = io::Error::other(self.message.clone());
        FIRST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(self);
        error
    }
}

/// The system refused to read `name` at `offset`.
pub(super) fn note_refused(name: &str, offset: u64, error: io::Error) -> io::Error {
    let message = format!("{name} cannot be read from byte {offset} on: {error}");
    Fault { message, hint: "the medium or the way to it fails; try another one" }.note()
}

/// `name` ends at `offset`, before the end that it had when it was opened.
pub(super) fn note_shorter(name: &str, offset: u64) -> io::Error {
    let message = format!("{name} became shorter while it was read: it ends at byte {offset}");
    Fault { message, hint: "wait until what writes there is done, or read a copy" }.note()
}

/// The fault that led to this error, if one did: what the bytes seem to be wrong with is then no fault of them.
pub fn explained(error: Error) -> Error {
    let fault = FIRST.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match fault {
        Some(Fault { message, hint }) if error.kind() != Kind::Usage => Error::environment(message).with_hint(hint),
        _ => error,
    }
}
