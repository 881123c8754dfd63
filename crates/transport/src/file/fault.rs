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
    explained_by(FIRST.lock().unwrap_or_else(PoisonError::into_inner).clone(), error)
}

fn explained_by(fault: Option<Fault>, error: Error) -> Error {
    match fault {
        Some(Fault { message, hint }) if error.kind() != Kind::Usage => Error::environment(message).with_hint(hint),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Fault {
        Fault { message: "the stick cannot be read from byte 7 on".to_owned(), hint: "try another one" }
    }

    #[test]
    fn a_fault_explains_all_but_what_was_asked_for_wrongly() {
        for error in [Error::content("damaged"), Error::internal("odd"), Error::environment("full")] {
            let explained = explained_by(Some(fault()), error);
            assert_eq!((explained.kind(), explained.hint()), (Kind::Environment, Some("try another one")));
            assert_eq!(explained.to_string(), "the stick cannot be read from byte 7 on");
        }
        assert_eq!(explained_by(Some(fault()), Error::usage("what")).to_string(), "what");
        for error in [Error::content("damaged"), Error::usage("what")] {
            let (kind, message) = (error.kind(), error.to_string());
            let left = explained_by(None, error);
            assert_eq!((left.kind(), left.to_string()), (kind, message));
        }
    }

    #[test]
    fn the_first_fault_of_a_process_is_kept() {
        let refused = note_refused("the file", 7, io::Error::other("bad sector"));
        assert_eq!(refused.to_string(), "the file cannot be read from byte 7 on: bad sector");
        let first = FIRST.lock().unwrap().clone().unwrap().message;
        let shorter = note_shorter("the file", 9);
        assert_eq!(shorter.to_string(), "the file became shorter while it was read: it ends at byte 9");
        assert_eq!(FIRST.lock().unwrap().clone().unwrap().message, first);
        let explained = explained(Error::content("damaged"));
        assert_eq!((explained.kind(), explained.to_string()), (Kind::Environment, first));
        // Neither looks like damage to whoever reads through a decoder.
        assert!([refused, shorter].iter().all(|error| error.kind() == io::ErrorKind::Other));
    }
}
