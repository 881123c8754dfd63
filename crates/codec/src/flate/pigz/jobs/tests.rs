use super::*;
use crate::noise::noise;

/// Where the pieces of each job end, counted from its start.
fn pieces(jobs: &[Job]) -> Vec<Vec<usize>> {
    jobs.iter().map(|job| job.ends().collect()).collect()
}

/// Places in `bytes` behind which a piece ends, by the sum of the last twelve bytes, each shifted by how far behind it is.
fn hits(bytes: &[u8]) -> Vec<usize> {
    let mut before = vec![0; 12];
    // What the hash is before the first byte.
    before.extend_from_slice(bytes);
    let hash = |end: usize| {
        let mut hash = if end < 12 { HIT << end } else { 0 };
        for (back, byte) in before[..12 + end].iter().rev().take(12).enumerate() {
            hash ^= u16::from(*byte) << back;
        }
        hash & HASH_MASK
    };
    (1..=bytes.len()).filter(|end| hash(*end) == HIT).collect()
}

/// The jobs of `bytes`, of which `step` come at a time.
fn planned(block: usize, bytes: &[u8], step: usize) -> Vec<Vec<usize>> {
    let mut planner = Planner::new(block, true);
    let (mut start, mut end, mut jobs) = (0, 0, Vec::new());
    loop {
        end = (end + step).min(bytes.len());
        let made = planner.plan(&bytes[start..end], end == bytes.len());
        start += made.iter().map(Job::length).sum::<usize>();
        jobs.extend(pieces(&made));
        if end == bytes.len() {
            assert_eq!(start, end);
            return jobs;
        }
    }
}

/// Bytes among which a piece ends again and again: at the last of so many zeros that all before is shifted out, the hash is 0; it is made a hit by
/// what follows.
fn with_hits(at: &[usize], count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    for end in at {
        // 0x7ff as the sum of bytes that are shifted by 3 and by 0.
        bytes[end - 4] = 0xff;
        bytes[end - 1] = 7;
    }
    bytes
}

#[test]
fn a_block_is_certain_when_a_byte_follows_it() {
    for (count, is_end, lengths) in [
        (0, false, &[][..]),
        (1, false, &[]),
        (100, false, &[]),
        (101, false, &[100]),
        (200, false, &[100]),
        (201, false, &[100, 100]),
        (0, true, &[0]),
        (1, true, &[1]),
        (100, true, &[100]),
        (101, true, &[100, 1]),
        (200, true, &[100, 100]),
        (301, true, &[100, 100, 100, 1]),
    ] {
        let jobs = Planner::new(100, false).plan(&vec![7; count], is_end);
        assert_eq!(jobs.iter().map(Job::length).collect::<Vec<_>>(), lengths, "{count} {is_end}");
        assert_eq!(pieces(&jobs), lengths.iter().map(|length| vec![*length]).collect::<Vec<_>>());
    }
}

#[test]
fn a_piece_ends_where_the_last_bytes_say() {
    assert_eq!(hits(&with_hits(&[50, 90], 200)), [50, 90]);
    let jobs = Planner::new(1000, true).plan(&with_hits(&[50, 90], 200), true);
    assert_eq!(pieces(&jobs), [vec![50, 90, 200]]);
    // A piece that ends with the job is said once.
    let jobs = Planner::new(1000, true).plan(&with_hits(&[50, 200], 200), true);
    assert_eq!(pieces(&jobs), [vec![50, 200]]);
    let jobs = Planner::new(1000, true).plan(&[0; 200], true);
    assert_eq!(pieces(&jobs), [vec![200]]);
    assert_eq!(pieces(&Planner::new(1000, true).plan(&[], true)), [vec![0]]);
}

#[test]
fn what_is_behind_the_last_piece_goes_to_the_next_job() {
    // More follows: the first job ends with its last piece, the next one is as long as a block again.
    let bytes = with_hits(&[60, 150], 300);
    let jobs = Planner::new(100, true).plan(&bytes, true);
    assert_eq!(pieces(&jobs), [vec![60], vec![90], vec![100], vec![50]]);
    // Without a piece it is a block.
    let jobs = Planner::new(100, true).plan(&[0; 250], true);
    assert_eq!(pieces(&jobs), [vec![100], vec![100], vec![50]]);
}

#[test]
fn every_place_that_says_so_ends_a_piece_once() {
    for (seed, block) in [(1, 5000), (2, 12_000), (3, 700), (4, 100_000)] {
        let bytes = noise(seed, 150_000);
        let jobs = planned(block, &bytes, bytes.len());
        assert_eq!(jobs.iter().map(|ends| ends[ends.len() - 1]).sum::<usize>(), bytes.len());
        let (mut start, mut ends, mut jobs_end) = (0, Vec::new(), Vec::new());
        for job in &jobs {
            assert!(job.is_sorted() && job[job.len() - 1] <= block);
            ends.extend(job.iter().map(|end| start + end));
            start = ends[ends.len() - 1];
            jobs_end.push(start);
        }
        let hits = hits(&bytes);
        assert!(hits.len() > 20);
        assert!(hits.iter().all(|hit| ends.iter().filter(|end| *end == hit).count() == 1));
        assert!(ends.iter().all(|end| hits.contains(end) || jobs_end.contains(end)));
    }
}

#[test]
fn jobs_do_not_depend_on_how_the_bytes_come() {
    let bytes = noise(9, 60_000);
    for block in [3000, 10_000] {
        let whole = planned(block, &bytes, bytes.len());
        // As long as a block and a byte come at least, which is what a caller holds.
        for step in [block + 1, block + 2, 2 * block, 2 * block + 1, 25_000] {
            assert_eq!(planned(block, &bytes, step), whole, "{block} {step}");
        }
    }
}
