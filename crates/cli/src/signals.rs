//! Requests to stop that a command takes over, because it ends by itself.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The command that stops by itself, if one does.
static TAKEN_OVER: OnceLock<Stop> = OnceLock::new();

/// Hands a request to stop on to the command that took them over; returns whether there is one, and it was not asked before.
pub(crate) fn is_news_to_a_command() -> bool {
    TAKEN_OVER.get().is_some_and(Stop::ask)
}

/// From now on the first request to stop is told to whoever asks here.
pub(crate) fn take_over() -> &'static Stop {
    TAKEN_OVER.get_or_init(Stop::default)
}

/// A request to stop, and whom it is handed on to.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    state: Mutex<State>,
    asked: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_asked: bool,
    /// A process that shall stop as well.
    running: Option<Pid>,
}

impl Stop {
    /// Whether it was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_asked
    }

    /// Waits, but no longer than until it is asked for; returns whether it was.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.asked.wait_timeout_while(state, time, |state| !state.is_asked);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_asked
    }

    /// Does something while a process runs that is told to stop too. The process must not be waited for in it.
    pub(crate) fn with_running<T>(&self, process: Pid, work: impl FnOnce() -> T) -> T {
        let set = |running| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.running = running;
            state.is_asked
        };
        if set(Some(process)) {
            stop(process);
        }
        let done = work();
        set(None);
        done
    }

    /// Returns whether it was not asked for before.
    fn ask(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.into_iter().for_each(stop);
        self.asked.notify_all();
        !std::mem::replace(&mut state.is_asked, true)
    }
}

fn stop(process: Pid) {
    // One that ended by itself needs no telling.
    let _ = kill_process(process, Signal::TERM);
}
