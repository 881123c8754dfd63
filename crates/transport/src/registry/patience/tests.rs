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
    for (value, expected) in
        [("0", Some(0)), (" 7 ", Some(7)), ("+7", Some(7)), ("18446744073709551615", Some(u64::MAX))]
    {
        assert_eq!(retry_after(value), expected.map(Duration::from_secs), "{value}");
    }
    for value in ["", "-1", "1.5", "18446744073709551616", "1s", "0x10"] {
        assert_eq!(retry_after(value), None, "{value}");
    }
}

#[test]
fn a_pause_that_is_too_long_counts_as_a_failure() {
    let mut patience = Patience::default();
    assert!(!patience.wait(Some(Duration::MAX)));
    assert_eq!((0..TRIES).filter(|_| patience.wait(Some(Duration::ZERO))).count(), TRIES as usize - 2);
}
