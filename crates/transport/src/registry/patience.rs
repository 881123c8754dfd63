//! How often and after how long a registry is asked again.

use std::thread;
use std::time::Duration;

/// Failures in a row after which a registry is given up.
pub(super) const TRIES: u32 = 6;

/// A registry that asks for a longer pause than this is left to the user.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(120);

const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Bytes after which a transfer is going on again, so that earlier failures no longer count.
pub(super) const PROGRESS: u64 = 1 << 20;

/// Counts failures in a row, and waits longer after each.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// Waits after a failure, as long as the registry `asked` for if it did; false when it is no longer worth it.
    pub(super) fn wait(&mut self, asked: Option<Duration>) -> bool {
        self.pause(asked).map(thread::sleep).is_some()
    }

    /// How long to wait after one more failure; nothing when it is no longer worth it.
    fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        let pause = asked.unwrap_or(FIRST_PAUSE * 2_u32.pow(self.failures - 1));
        (self.failures < TRIES && pause <= LONGEST_PAUSE).then_some(pause)
    }

    /// Something worked.
    pub(super) const fn renew(&mut self) {
        self.failures = 0;
    }
}

/// What `Retry-After` asks for (RFC 9110, section 10.2.3); dates are not read, and get the usual pause.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
