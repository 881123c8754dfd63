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
fn a_pause_that_is_asked_for_is_made_up_to_the_longest() {
    let asked = |pause| Patience::default().wait(Some(pause));
    assert!(asked(Duration::ZERO));
    assert!(!asked(LONGEST_PAUSE + Duration::from_nanos(1)));
    assert!(!asked(Duration::MAX));
    // That it is too long counts as a failure like others.
    let mut patience = Patience::default();
    assert!(!patience.wait(Some(Duration::MAX)));
    assert_eq!((0..TRIES).filter(|_| patience.wait(Some(Duration::ZERO))).count(), TRIES as usize - 2);
}

#[test]
fn pauses_are_whole_seconds() {
    for (text, expected) in [("0", Some(0)), (" 7 ", Some(7)), ("120", Some(120)), ("+7", Some(7))] {
        assert_eq!(retry_after(text), expected.map(Duration::from_secs), "{text}");
    }
    for text in ["", "-1", "1.5", "7s", "0x7", "18446744073709551616"] {
        assert_eq!(retry_after(text), None, "{text}");
    }
}
