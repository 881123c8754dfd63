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
mod tests {
    use super::*;

    #[test]
    fn patience_ends() {
        let mut patience = Patience::default();
        let waits = (0..TRIES).map(|_| patience.wait(Some(Duration::ZERO))).filter(|waited| *waited).count();
        assert_eq!(waits, TRIES as usize - 1);
        patience.renew();
        assert!(patience.wait(Some(Duration::ZERO)));
        assert!(!patience.wait(retry_after("86400")));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), None);
    }

    #[test]
    fn pauses_double_up_to_six_seconds_together() {
        let mut patience = Patience::default();
        let pauses: Vec<_> = std::iter::from_fn(|| patience.pause(None)).collect();
        assert_eq!(pauses, [200, 400, 800, 1_600, 3_200].map(Duration::from_millis));
        patience.renew();
        assert_eq!(patience.pause(None), Some(FIRST_PAUSE), "after something worked it begins anew");
    }

    #[test]
    fn a_registry_may_ask_for_the_longest_pause_and_not_for_a_moment_more() {
        let asked = |pause| Patience::default().pause(Some(pause));
        for pause in [Duration::ZERO, Duration::from_secs(1), LONGEST_PAUSE] {
            assert_eq!(asked(pause), Some(pause));
        }
        assert_eq!(asked(LONGEST_PAUSE + Duration::from_nanos(1)), None);
        assert_eq!(retry_after("120").and_then(asked), Some(LONGEST_PAUSE));
        assert_eq!(retry_after("121").and_then(asked), None);
        // What it asks for last counts no more than how often it failed.
        let mut patience = Patience::default();
        let waits = (0..TRIES).map(|_| patience.pause(Some(LONGEST_PAUSE))).filter(Option::is_some).count();
        assert_eq!(waits, 5);
    }

    #[test]
    fn seconds_are_read_and_nothing_else_is() {
        for (value, expected) in [("0", Some(0)), (" 7 ", Some(7)), ("18446744073709551615", Some(u64::MAX))] {
            assert_eq!(retry_after(value), expected.map(Duration::from_secs), "{value}");
        }
        for value in ["", "-1", "1.5", "18446744073709551616", "1s", "0x10"] {
            assert_eq!(retry_after(value), None, "{value}");
        }
    }
}
