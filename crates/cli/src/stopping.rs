//! What is done when the program is told to stop: what has no final name is removed, and it ends with the code that shells expect; unless a
//! command has taken that over.

use delta_transport::destination;

/// Listens for signals, or for what the system has in their place.
pub(crate) fn clean_up() {
    listen();
}

#[cfg(unix)]
fn listen() {
    use std::sync::Arc;
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

    use crate::signals;

    // A limit of the shell on the size of files is then an error of writing.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    thread::spawn(move || {
        for signal in signals.forever() {
            // Who asks twice does not want to wait.
            if !signals::is_news_to_a_command() {
                end(128 + signal);
            }
        }
    });
}

/// Ctrl-C, Ctrl-Break and a console that is closed are all told as one; the code is that of Ctrl-C.
#[cfg(windows)]
fn listen() {
    // Without it the system ends the program, which leaves what the next run removes.
    let _ = ctrlc::set_handler(|| end(130));
}

fn end(code: i32) {
    destination::remove_pending();
    #[expect(clippy::exit, reason = "the work goes on in other threads, which nobody waits for")]
    std::process::exit(code);
}
