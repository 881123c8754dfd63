//! Which windows of a base are found, and which of several places is taken.

use super::*;
use crate::noise::noise;

const ALL: [Fineness; 4] = [Fineness::Every, Fineness::Second, Fineness::Fourth, Fineness::Eighth];

fn table(base: &[u8], fineness: Fineness) -> Table {
    Table::new(Bytes::lent(&base.to_vec()).unwrap(), fineness, None).unwrap()
}

/// Zeros that are held nowhere.
struct Zeros(u64);

impl ReadAt for Zeros {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = usize::try_from((self.0 - offset).min(buffer.len() as u64)).unwrap();
        buffer[..count].fill(0);
        Ok(count)
    }
}

#[test]
fn windows_are_as_long_as_their_distance_leaves_them() {
    for (fineness, step, window) in
        [(Fineness::Every, 1, 16), (Fineness::Second, 2, 15), (Fineness::Fourth, 4, 13), (Fineness::Eighth, 8, 13)]
    {
        for (more, samples) in [(0, 1), (step - 1, 1), (step, 2), (2 * step - 1, 2), (10 * step, 11)] {
            let table = table(&noise(1, window + more), fineness);
            assert_eq!((table.step, table.window), (step as u64, window), "{fineness:?}");
            assert_eq!(table.links.len(), samples, "a window and {more} bytes, {fineness:?}");
        }
        for less in [1, window] {
            assert!(table(&noise(1, window - less), fineness).links.is_empty(), "{less} bytes less than a window");
        }
    }
}

#[test]
fn a_base_of_more_than_16_mebibytes_is_sampled_at_fewer_places() {
    const MOST: u64 = ALIGN_SAMPLES;
    for (length, fineness, step, window) in [
        (MOST, Fineness::Eighth, 8, 13),
        (MOST + 1, Fineness::Eighth, 9, 13),
        (MOST + 1, Fineness::Fourth, 5, 13),
        (2 * MOST, Fineness::Second, 4, 13),
        (2 * MOST + 1, Fineness::Every, 3, 14),
    ] {
        let zeros = Zeros(length);
        let table = Table::new(Bytes::walked(&zeros).unwrap(), fineness, None).unwrap();
        assert_eq!((table.step, table.window), (step, window), "{length} bytes, {fineness:?}");
        assert!(table.links.len() as u64 <= MOST, "{fineness:?}");
        assert_eq!(table.samples(hash(&[0; 16][..window])).collect::<Vec<_>>(), [0], "one of a run is enough");
    }
}

#[test]
fn every_sampled_window_is_known_and_nearly_no_other() {
    let base = noise(1, 3_000);
    for fineness in ALL {
        let table = table(&base, fineness);
        let step = usize::try_from(table.step).unwrap();
        for (at, window) in base.windows(table.window).enumerate() {
            let samples: Vec<u64> = table.samples(hash(window)).collect();
            let is_sampled = at % step == 0;
            assert_eq!(samples.contains(&((at / step) as u64)), is_sampled, "{at} {fineness:?}");
            assert_eq!(table.has(hash(window)), !samples.is_empty());
        }
        let others = noise(2, 3_000);
        let known = others.windows(table.window).filter(|window| table.has(hash(window))).count();
        assert!(known < 30, "{known} windows that are not there");
    }
}

#[test]
fn the_last_place_of_a_window_comes_first_and_64_are_passed() {
    let window = noise(1, 16);
    for (places, passed) in [(1, 1), (3, 3), (60, 60), (100, 64), (200, 64)] {
        let base: Vec<u8> = (0..places).flat_map(|number| [&window[..], &noise(number + 9, 24)].concat()).collect();
        let found: Vec<u64> = table(&base, Fineness::Every).samples(hash(&window)).collect();
        let expected: Vec<u64> = (0..places).rev().map(|number| 40 * number).collect();
        assert_eq!(found, expected[..found.len()], "{places} places");
        // A few others that stand in the same list count as passed.
        assert!(found.len() <= passed && found.len() + 4 >= passed, "{} of {places}", found.len());
    }
}

#[test]
fn a_run_is_remembered_by_its_first_window() {
    for (period, fineness) in [(&[7][..], Fineness::Every), (&[7], Fineness::Fourth), (&[1, 2, 3, 4], Fineness::Fourth)]
    {
        let run = period.repeat(200 / period.len());
        let base = [&noise(1, 100)[..], &run, &noise(2, 100)].concat();
        let table = table(&base, fineness);
        let step = usize::try_from(table.step).unwrap();
        let first = 100_usize.next_multiple_of(step);
        let samples: Vec<u64> = table.samples(hash(&base[first..first + table.window])).collect();
        assert_eq!(samples, [(first / step) as u64], "{period:?} {fineness:?}");
    }
}

#[test]
fn windows_are_looked_up_less_often_the_longer_nothing_was_found() {
    let every = table(&noise(1, 100), Fineness::Every);
    let rough = table(&noise(1, 100), Fineness::Second);
    for (behind, stride) in
        [(0, 1), (4_095, 1), (4_096, 3), (32_767, 3), (32_768, 5), (262_143, 5), (262_144, 7), (u64::MAX, 7)]
    {
        assert_eq!((every.stride(behind), rough.stride(behind)), (1, stride), "{behind}");
    }
}

#[test]
fn the_first_known_window_of_a_piece_is_found_at_its_stride() {
    let base = noise(1, 500);
    let table = table(&base, Fineness::Every);
    let piece = [&noise(2, 12)[..], &base[100..116], &noise(3, 20)].concat();
    for (stride, offset) in [(1, Some(12)), (2, Some(12)), (3, Some(12)), (5, None), (6, Some(12)), (7, None)] {
        assert_eq!(table.first_known(&piece, stride), offset, "{stride}");
    }
    assert_eq!(table.first_known(&piece[..28], 1), Some(12));
    assert_eq!(table.first_known(&piece[..27], 1), None);
    assert_eq!(table.first_known(&piece[..15], 1), None);
    assert_eq!(table.first_known(&[], 1), None);
}

/// What is found in `target` from `position` on, and where the look for it ended.
fn found(base: &[u8], target: &[u8], fineness: Fineness, position: u64, current: Match) -> (Option<Match>, u64) {
    let (base, target) = (base.to_vec(), target.to_vec());
    let index = Index::new(&base, fineness).unwrap();
    let [mut base, mut target] = [&base, &target].map(|bytes| Bytes::lent(bytes).unwrap());
    let mut at = position;
    let seed = index.table().unwrap().find(&mut base, &mut target, &mut at, current).unwrap();
    (seed, at)
}

#[test]
fn a_seed_has_16_bytes_whatever_a_window_has() {
    let base = noise(1, 400);
    for fineness in ALL {
        // At a place that every fineness samples.
        for (length, is_one) in [(13, false), (15, false), (16, true), (17, true)] {
            let target = [&noise(2, 90)[..], &base[200..200 + length], &noise(3, 90)].concat();
            let seed = found(&base, &target, fineness, 0, Match::NONE).0;
            let expected = is_one.then_some(Match { target: 90, base: 200, length: length as u64 });
            assert_eq!(seed, expected, "{length} bytes, {fineness:?}");
        }
    }
}

#[test]
fn a_seed_grows_back_to_the_end_of_what_is_followed() {
    let base = noise(1, 400);
    let target = [&noise(2, 100)[..], &base[150..350]].concat();
    // It was looked for from the middle of what agrees.
    for (position, followed, start) in
        [(200, 0, 100), (200, 100, 100), (200, 150, 150), (200, 199, 199), (200, 200, 200), (101, 101, 101)]
    {
        let current = Match { target: 0, base: 0, length: followed };
        let (seed, at) = found(&base, &target, Fineness::Every, position, current);
        let expected = Match { target: start, base: start + 50, length: 300 - start };
        assert_eq!((seed, at), (Some(expected), position), "followed up to {followed}");
    }
    // Nor further than the start of the base.
    let target = [&noise(2, 100)[..], &base[..200]].concat();
    let (seed, _) = found(&base, &target, Fineness::Every, 120, Match::NONE);
    assert_eq!(seed, Some(Match { target: 100, base: 0, length: 200 }));
}

#[test]
fn the_longest_of_several_places_is_taken_unless_one_is_long_enough() {
    let long = noise(1, 5_000);
    for (first, last, taken) in [
        (100, 50, 0),
        (50, 100, 1),
        // Of equally long ones the last in the base, which is looked at first.
        (60, 60, 1),
        (5_000, 4_095, 0),
        (5_000, 4_096, 1),
    ] {
        let base = [&long[..first], &noise(2, 64), &long[..last], &noise(4, 64)].concat();
        let target = [&long[..], &noise(6, 64)].concat();
        let seed = found(&base, &target, Fineness::Every, 0, Match::NONE).0.unwrap();
        let place = [0, first + 64][taken] as u64;
        assert_eq!((seed.base, seed.length), (place, [first, last][taken] as u64), "{first} and {last}");
    }
}

#[test]
fn eight_places_of_a_window_are_looked_at_and_those_near_where_it_is_expected() {
    let window = noise(1, 16);
    let piece = |number: u64| [&window[..], &noise(number + 9, 48)].concat();
    let target = [piece(0), noise(3, 50)].concat();
    let first = Match { target: 0, base: 0, length: 64 };
    for (places, expected_at, place) in [
        (8, 30_000, 0),
        // The first one is the ninth: of the others, which are as long, it is the last.
        (9, 30_000, 8),
        // Up to 2 KiB before where it is expected, by its first byte; then the next one is the nearest.
        (9, 0, 0),
        (9, 2_048, 0),
        (9, 2_049, 1),
    ] {
        let base = [(0..places).flat_map(piece).collect(), noise(5, 40_000)].concat();
        let current = Match { target: 0, base: expected_at, length: 0 };
        let seed = found(&base, &target, Fineness::Every, 0, current).0.unwrap();
        let expected = Match { base: 64 * place, length: if place == 0 { 64 } else { 16 }, ..first };
        assert_eq!(seed, expected, "{places} places, expected at {expected_at}");
    }
}

#[test]
fn a_common_window_is_looked_for_up_to_2_kib_behind_where_it_is_expected_too() {
    let window = noise(1, 16);
    let target = [&window[..], &noise(7, 48), &noise(3, 50)].concat();
    for (place, is_found) in [(4_096 - 16 - 1, true), (4_096 - 16, true), (4_096 - 15, false)] {
        // The one that is meant, where the others are far behind it.
        let mut base = noise(5, 20_000);
        base[place..place + 64].copy_from_slice(&target[..64]);
        (0..9).for_each(|number| base.extend([&window[..], &noise(number + 9, 48)].concat()));
        let current = Match { target: 0, base: 2_048, length: 0 };
        let seed = found(&base, &target, Fineness::Every, 0, current).0.unwrap();
        assert_eq!(seed.base == place as u64, is_found, "{place}: {seed:?}");
    }
}

#[test]
fn the_look_for_a_seed_ends_at_the_end() {
    let base = noise(1, 400);
    for new in [0, 1, 63, 64, 1_023, 1_024, 1_025, 3_000] {
        let target = [&noise(2, new)[..], &base[100..116]].concat();
        let (seed, at) = found(&base, &target, Fineness::Every, 0, Match::NONE);
        assert_eq!(seed, Some(Match { target: new as u64, base: 100, length: 16 }), "behind {new}");
        assert_eq!(at, new as u64);
        let (seed, at) = found(&base, &target[..new + 15], Fineness::Every, 0, Match::NONE);
        assert_eq!(seed, None, "one byte less behind {new}");
        assert!(at <= new as u64);
    }
    assert_eq!(found(&noise(1, 15), &noise(1, 15), Fineness::Every, 0, Match::NONE), (None, 0), "no window at all");
}

#[test]
fn only_windows_at_the_places_of_an_index_are_found() {
    let base = noise(1, 4_000);
    let index = Index::within(&base, Fineness::Fourth, vec![0..40, 1_000..1_100, 3_990..4_000]).unwrap();
    let has = |at: &u64| {
        let start = usize::try_from(*at).unwrap();
        index.table().unwrap().samples(hash(&base[start..start + 13])).any(|sample| sample * 4 == *at)
    };
    let sampled: Vec<u64> = (0..base.len() as u64 - 13).filter(has).collect();
    assert_eq!(sampled, (0..40).chain(1_000..1_100).step_by(4).collect::<Vec<u64>>());
}
