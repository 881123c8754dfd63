use super::super::arrival::Facts;
use super::*;

const PATIENCE: Patience = Patience { settling: Duration::from_secs(5), refusal: Duration::from_secs(60) };

/// One file that changed so many seconds after 1970.
fn look(bytes: u64, changed: i64) -> Look {
    let facts = Facts { id: (1, 1), bytes, modified: (0, 0), changed: (changed, 0) };
    let parts = vec![Part { name: "a".into(), facts, is_volume: false }];
    Look { arrivals: vec![Arrival { name: "a".into(), parts }], passed_over: Vec::new() }
}

struct Clock(Instant);

impl Clock {
    fn at(&self, seconds: u64) -> (Instant, SystemTime) {
        let passed = Duration::from_secs(seconds);
        (self.0 + passed, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000) + passed)
    }
}

#[test]
fn what_changes_is_waited_for() {
    let (mut diary, clock) = (Diary::new(PATIENCE), Clock(Instant::now()));
    for (seconds, bytes) in [(0, 1), (4, 2), (8, 3)] {
        let (now, time) = clock.at(seconds);
        let look = look(bytes, 1_000 + i64::try_from(seconds).unwrap());
        diary.note(&look, now, time);
        assert!(!diary.is_due(&look.arrivals[0], now) && diary.is_settling(&look.arrivals[0], now));
    }
    let look = look(3, 1_008);
    for (seconds, is_due) in [(12, false), (13, true)] {
        let (now, time) = clock.at(seconds);
        diary.note(&look, now, time);
        assert_eq!(diary.is_due(&look.arrivals[0], now), is_due, "{seconds}");
    }
}

#[test]
fn what_lies_there_for_long_is_due_at_once_and_a_wrong_clock_harms_nothing() {
    let (now, time) = Clock(Instant::now()).at(0);
    for (changed, is_due) in [(995, true), (996, false), (5_000, false), (-1, false)] {
        let (mut diary, look) = (Diary::new(PATIENCE), look(1, changed));
        diary.note(&look, now, time);
        assert_eq!(diary.is_due(&look.arrivals[0], now), is_due, "{changed}");
    }
}

#[test]
fn what_is_refused_has_its_turn_when_it_changes_or_when_patience_ends() {
    let (mut diary, clock, look) = (Diary::new(PATIENCE), Clock(Instant::now()), look(1, 1_000));
    let arrival = &look.arrivals[0];
    let (now, time) = clock.at(6);
    diary.note(&look, now, time);
    assert_eq!(diary.patience_left(arrival, now), Some(Duration::from_secs(54)));
    assert!(diary.wait(arrival, "cut off") && !diary.wait(arrival, "cut off") && diary.wait(arrival, "unsigned"));
    assert!(!diary.is_due(arrival, clock.at(59).0) && diary.is_due(arrival, clock.at(60).0));
    assert_eq!(diary.patience_left(arrival, clock.at(60).0), None);
    let other = super::tests::look(2, 1_020);
    diary.note(&other, clock.at(20).0, clock.at(20).1);
    assert!(diary.is_settling(&other.arrivals[0], clock.at(20).0) && diary.is_due(&other.arrivals[0], clock.at(25).0));
}

#[test]
fn pauses_grow_and_end_when_something_goes_well() {
    let (mut diary, clock, look) = (Diary::new(PATIENCE), Clock(Instant::now()), look(1, 0));
    let arrival = &look.arrivals[0];
    let (now, time) = clock.at(0);
    diary.note(&look, now, time);
    let pauses: Vec<u64> = (0..10).map(|_| diary.postpone(arrival, now).as_secs()).collect();
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    assert!(!diary.is_due(arrival, clock.at(899).0) && diary.is_due(arrival, clock.at(900).0));
    diary.encourage(now);
    assert!(diary.is_due(arrival, now));
}

#[test]
fn what_is_passed_over_is_told_once() {
    let (mut diary, now) = (Diary::new(PATIENCE), Instant::now());
    let passed = PassedOver { name: "a".into(), reason: "it is a folder" };
    let look = Look { arrivals: Vec::new(), passed_over: vec![passed.clone()] };
    let mut note = |look: &Look| diary.note(look, now, SystemTime::UNIX_EPOCH);
    assert_eq!((note(&look), note(&look)), (vec![passed.clone()], vec![]));
    assert_eq!((note(&Look::default()), note(&look)), (vec![], vec![passed]));
}

/// An arrival of files that changed at these seconds after 1970.
fn several(changed: &[i64]) -> Look {
    let facts = |changed| Facts { id: (1, 1), bytes: 1, modified: (0, 0), changed: (changed, 0) };
    let part = |(number, changed): (usize, &i64)| Part {
        name: format!("a.{number:03}").into(),
        facts: facts(*changed),
        is_volume: true,
    };
    let parts = changed.iter().enumerate().map(part).collect();
    Look { arrivals: vec![Arrival { name: "a".into(), parts }], passed_over: Vec::new() }
}

#[test]
fn the_file_that_changed_last_is_waited_for() {
    let (now, time) = Clock(Instant::now()).at(0);
    for (changed, expected) in [
        (&[900, 990, 980][..], Some(50)),
        (&[990, 900], Some(50)),
        (&[900, 1_000], Some(60)),
        (&[900, 2_000], Some(60)),
        (&[940, 939], None),
        (&[941, 940], Some(1)),
    ] {
        let (mut diary, look) = (Diary::new(PATIENCE), several(changed));
        diary.note(&look, now, time);
        let left = diary.patience_left(&look.arrivals[0], now);
        assert_eq!(left, expected.map(Duration::from_secs), "{changed:?}");
    }
}

#[test]
fn what_was_never_seen_has_no_turn() {
    let (mut diary, now) = (Diary::new(PATIENCE), Instant::now());
    for look in [look(1, 0), several(&[])] {
        let arrival = &look.arrivals[0];
        assert!(!diary.is_due(arrival, now) && !diary.is_settling(arrival, now));
        assert!(diary.patience_left(arrival, now).is_none() && !diary.wait(arrival, "refused"));
        assert_eq!(diary.postpone(arrival, now), PATIENCE.settling);
    }
    // What has no file is not written down either.
    let empty = several(&[]);
    diary.note(&empty, now, SystemTime::UNIX_EPOCH);
    assert!(!diary.wait(&empty.arrivals[0], "refused"));
}

#[test]
fn what_settled_is_due_and_settles_no_longer() {
    let (mut diary, clock, look) = (Diary::new(PATIENCE), Clock(Instant::now()), look(1, 1_000));
    let arrival = &look.arrivals[0];
    diary.note(&look, clock.at(0).0, clock.at(0).1);
    for (seconds, is_due) in [(0, false), (4, false), (5, true), (1_000, true)] {
        let (now, time) = clock.at(seconds);
        diary.note(&look, now, time);
        assert_eq!((diary.is_due(arrival, now), diary.is_settling(arrival, now)), (is_due, !is_due), "{seconds}");
    }
    // One that is refused or put off does not settle.
    diary.wait(arrival, "refused");
    assert!(!diary.is_settling(arrival, clock.at(0).0));
    diary.postpone(arrival, clock.at(0).0);
    assert!(!diary.is_settling(arrival, clock.at(0).0));
}

#[test]
fn what_changes_or_goes_begins_anew() {
    let (mut diary, clock) = (Diary::new(PATIENCE), Clock(Instant::now()));
    let (now, time) = clock.at(10);
    let (first, changed) = (look(1, 1_000), look(2, 1_001));
    diary.note(&first, now, time);
    let pauses = |diary: &mut Diary, look: &Look, times: usize| {
        (0..times).map(|_| diary.postpone(&look.arrivals[0], now).as_secs()).collect::<Vec<_>>()
    };
    assert_eq!(pauses(&mut diary, &first, 3), [5, 10, 20]);
    diary.note(&first, now, time);
    assert_eq!(pauses(&mut diary, &first, 1), [40], "nothing changed");
    diary.note(&changed, now, time);
    assert!(diary.is_due(&changed.arrivals[0], now), "it settled nine seconds ago");
    assert_eq!(pauses(&mut diary, &changed, 1), [5]);
    diary.note(&Look::default(), now, time);
    assert!(!diary.is_due(&changed.arrivals[0], clock.at(1_000).0));
    diary.note(&changed, now, time);
    assert_eq!(pauses(&mut diary, &changed, 2), [5, 10]);
}

#[test]
fn pauses_are_no_shorter_than_the_settling_and_end_when_they_should() {
    let settling = LONGEST_PAUSE + Duration::from_secs(1);
    let (mut diary, clock, look) = (Diary::new(Patience { settling, ..PATIENCE }), Clock(Instant::now()), look(1, 0));
    let (now, time) = clock.at(0);
    diary.note(&look, now, time);
    let arrival = &look.arrivals[0];
    assert_eq!([diary.postpone(arrival, now), diary.postpone(arrival, now)], [settling, settling]);
    assert!(!diary.is_due(arrival, now + settling - Duration::from_nanos(1)) && diary.is_due(arrival, now + settling));
}

#[test]
fn what_goes_well_helps_only_what_waits_for_its_surroundings() {
    let (mut diary, clock, look) = (Diary::new(PATIENCE), Clock(Instant::now()), look(1, 1_000));
    let (now, time) = clock.at(6);
    diary.note(&look, now, time);
    diary.wait(&look.arrivals[0], "cut off");
    diary.encourage(now);
    assert!(!diary.is_due(&look.arrivals[0], now), "it is as refused as before");
}

#[test]
fn what_is_older_than_the_machine_is_up_began_with_it() {
    let now = Instant::now() + Duration::from_secs(10);
    assert_eq!(before_now(now, Duration::from_secs(4)), now - Duration::from_secs(4));
    assert_eq!(before_now(now, Duration::MAX), now);
    assert_eq!(age(&several(&[i64::MIN, -1]).arrivals[0], SystemTime::now()), Duration::ZERO);
    let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    assert_eq!(age(&several(&[0, -1]).arrivals[0], clock), Duration::from_secs(7));
}
