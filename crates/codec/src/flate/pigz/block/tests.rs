use super::super::super::taken_apart::{self, Kind};
use super::super::super::zlib;
use super::super::jobs::Planner;
use super::*;
use crate::noise::noise;

fn deflater() -> Deflater {
    Deflater::new(zlib::Settings::new(6, 15, 8, 0).unwrap()).unwrap()
}

/// A job of `plain`, in one piece.
fn job(plain: &[u8]) -> Job {
    Planner::new(plain.len().max(1), false).plan(plain, true).remove(0)
}

/// The bytes of a job that is not the last one.
fn encoded(plain: &[u8], ending: Ending) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut deflater(), &job(plain), plain, ending, false, &mut out).unwrap();
    out
}

/// How many bits behind a whole byte the block of `plain` ends.
fn bits(plain: &[u8]) -> u8 {
    let mut deflater = deflater();
    deflater.run(plain, Flush::Block, &mut Vec::new()).unwrap();
    deflater.pending_bits().unwrap()
}

/// For each number of bits up to 7, bytes whose block ends so many behind a whole byte.
fn each() -> Vec<(u8, Vec<u8>)> {
    let all: Vec<Vec<u8>> =
        (1..200).map(|length| noise(7, length).into_iter().map(|byte| byte & 0xdf).collect()).collect();
    (0..8).map(|count| (count, all.iter().find(|plain| bits(plain) == count).unwrap().clone())).collect()
}

#[test]
fn a_block_goes_to_a_whole_byte_in_the_fewest_empty_ones() {
    for (count, plain) in each() {
        // Ten bits each, or three and a stored block's four bytes where the number of bits is odd.
        let (empty, kind) = match count {
            0 => (0, Kind::Fixed),
            2 => (3, Kind::Fixed),
            4 => (2, Kind::Fixed),
            6 => (1, Kind::Fixed),
            _ => (1, Kind::Stored),
        };
        let stream = encoded(&plain, Ending::Continued);
        let behind = &taken_apart::kinds(&stream)[1..];
        assert_eq!(behind, vec![(kind, 0); empty], "{count} bits");
        assert_eq!(taken_apart::plain(&stream), plain);
        let end = taken_apart::blocks(&stream).last().unwrap().end;
        assert_eq!(end, 8 * stream.len());
    }
}

#[test]
fn what_is_independent_ends_with_two_stored_blocks() {
    for (count, plain) in each() {
        let stream = encoded(&plain, Ending::Fresh);
        assert_eq!(taken_apart::kinds(&stream)[1..], [(Kind::Stored, 0), (Kind::Stored, 0)], "{count} bits");
        assert!(stream.ends_with(&[0, 0, 0xff, 0xff, 0, 0, 0, 0xff, 0xff]));
    }
}

#[test]
fn the_last_job_ends_the_stream() {
    for plain in [&b""[..], b"some bytes", &noise(1, 5000)] {
        for ending in [Ending::Continued, Ending::Fresh] {
            let mut out = Vec::new();
            encode(&mut deflater(), &job(plain), plain, ending, true, &mut out).unwrap();
            assert!(taken_apart::blocks(&out).last().unwrap().is_last);
            assert_eq!(taken_apart::plain(&out), plain);
        }
    }
}

#[test]
fn every_piece_of_a_job_ends_at_a_whole_byte() {
    // 0x7ff in the hash behind each of these places.
    let mut plain = b"words and words and more words ".repeat(20);
    for end in [100, 300] {
        plain[end - 16..end].fill(0);
        (plain[end - 4], plain[end - 1]) = (0xff, 7);
    }
    let jobs = Planner::new(plain.len(), true).plan(&plain, true);
    let ends: Vec<usize> = jobs[0].ends().collect();
    assert!(jobs.len() == 1 && ends.contains(&100) && ends.contains(&300));
    let mut out = Vec::new();
    encode(&mut deflater(), &jobs[0], &plain, Ending::Continued, true, &mut out).unwrap();
    let kinds = taken_apart::kinds(&out);
    let lengths: Vec<usize> = kinds.iter().map(|(_, length)| *length).filter(|length| *length > 0).collect();
    let expected: Vec<usize> = ends.iter().scan(0, |start, end| Some(end - std::mem::replace(start, *end))).collect();
    assert_eq!(lengths, expected);
    // Later pieces refer to earlier ones.
    assert!(taken_apart::copies(&out).iter().any(|(_, distance)| *distance > 100));
}
