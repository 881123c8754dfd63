//! What is kept of a blob and what is made, how much of it may be kept, and who came nearest.

use super::*;
use crate::deflate::gzip_trailer;
use crate::noise::noise;

/// A budget that nothing uses up.
fn plenty() -> AtomicU64 {
    AtomicU64::new(u64::MAX)
}

/// Whether each of these parts (start, end, plain bytes) of a blob of so many bytes is kept.
fn kept(length: usize, parts: &[(u64, u64, u64)]) -> Vec<bool> {
    let (blob, plain, budget) = (vec![7; length], Vec::new(), plenty());
    let mut search = Search::new(&blob, &plain, Format::Deflate, &budget);
    parts.iter().map(|(start, end, plain)| search.keep(*start, *end, *plain).unwrap()).collect()
}

#[test]
fn what_stands_for_plain_bytes_is_at_most_half_of_a_blob() {
    assert_eq!(kept(100, &[(0, 50, 1)]), [true]);
    assert_eq!(kept(100, &[(0, 51, 1)]), [false]);
    assert_eq!(kept(101, &[(0, 50, 1)]), [true]);
    assert_eq!(kept(101, &[(0, 51, 1)]), [false]);
    // What stands for none may be all of it, and counts.
    assert_eq!(kept(100, &[(0, 100, 0)]), [true]);
    assert_eq!(kept(100, &[(0, 20, 0), (20, 50, 1)]), [true, true]);
    assert_eq!(kept(100, &[(0, 21, 0), (21, 51, 1)]), [true, false]);
    assert_eq!(kept(100, &[(0, 25, 9), (25, 50, 9), (50, 51, 9)]), [true, true, false]);
    assert_eq!(kept(0, &[(0, 0, 0)]), [true]);
}

#[test]
fn what_is_kept_and_the_plan_are_no_longer_than_a_plan_may_be() {
    let most = RECREATION_PLAN_BYTES as u64;
    for (planned, length, is_kept) in
        [(0, most, true), (0, most + 1, false), (10, most - 10, true), (10, most - 9, false)]
    {
        let (blob, plain, budget) = (vec![7; usize::try_from(most + 1).unwrap()], Vec::new(), plenty());
        let mut search = Search::new(&blob, &plain, Format::Deflate, &budget);
        search.plan = vec![0; planned];
        assert_eq!(search.keep(0, length, 0).unwrap(), is_kept, "{planned} {length}");
    }
}

#[test]
fn parts_that_are_kept_one_behind_the_other_are_one_piece() {
    let (blob, plain, budget) = (b"0123456789".to_vec(), Vec::new(), plenty());
    let mut search = Search::new(&blob, &plain, Format::Deflate, &budget);
    search.close_kept();
    assert!(search.plan.is_empty(), "nothing is no piece");
    assert!(search.keep(0, 2, 0).unwrap() && search.keep(2, 2, 0).unwrap() && search.keep(3, 5, 40).unwrap());
    search.close_kept();
    assert_eq!(search.plan, [0, 4, 40, b'0', b'1', b'3', b'4']);
    search.close_kept();
    assert_eq!(search.plan.len(), 7, "it is there once");
    assert!(search.keep(9, 10, 0).unwrap());
    search.close_kept();
    assert_eq!(search.plan[7..], [0, 1, 0, b'9']);
}

#[test]
fn a_part_that_the_blob_has_not_is_an_error() {
    let (blob, plain, budget) = (b"0123456789".to_vec(), Vec::new(), plenty());
    let mut search = Search::new(&blob, &plain, Format::Deflate, &budget);
    assert_eq!(search.keep(8, 11, 0).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn the_nearest_encoder_is_the_first_of_those_that_came_furthest_with_the_first_stream() {
    let (blob, plain, budget) = (Vec::new(), Vec::new(), plenty());
    let mut search = Search::new(&blob, &plain, Format::Deflate, &budget);
    let attempts = |all: &[(&str, u64)]| -> Vec<Attempt> {
        all.iter().map(|(name, equal)| Attempt { encoder: (*name).to_owned(), equal: *equal }).collect()
    };
    search.note(attempts(&[]), 5);
    assert_eq!(search.nearest, None);
    search.note(attempts(&[("one", 3), ("two", 9), ("three", 9), ("four", 8)]), 100);
    let expected = Some(Nearest { encoder: "two".to_owned(), differs_at: 109 });
    assert_eq!(search.nearest, expected);
    search.note(attempts(&[("five", 1_000)]), 500);
    assert_eq!(search.nearest, expected, "of another stream nobody asks");
}

/// What zlib makes at level 6, without anything around it.
fn stream(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encoder().encode(&plain.to_vec(), &mut out).unwrap();
    out
}

fn encoder() -> Arc<dyn Encoder> {
    crate::encoder::take(1, &mut &[0x06, 0x8f][..]).unwrap()
}

const HEADER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";

fn member(plain: &[u8]) -> Vec<u8> {
    [HEADER, &stream(plain), &gzip_trailer(&plain.to_vec()).unwrap()].concat()
}

/// The plan that is found, piece by piece: the kept bytes, or whether a made one has its trailer; each with its plain bytes.
fn pieces(blob: &[u8], plain: &[u8]) -> Vec<(Result<Vec<u8>, bool>, u64)> {
    let SearchOutcome::Exact(plan) = find(&blob.to_vec(), &plain.to_vec()).unwrap() else { panic!("it comes back") };
    plan.pieces()
        .map(|piece| match piece {
            Piece::Kept(bytes, plain) => (Ok(bytes.to_vec()), plain),
            Piece::Made(_, plain, has_trailer) => (Err(has_trailer), plain),
        })
        .collect()
}

#[test]
fn headers_are_kept_and_trailers_are_made() {
    let plain = b"words that are said again and again, words that are said".repeat(9);
    let length = plain.len() as u64;
    let blob = member(&plain);
    let header = || (Ok(HEADER.to_vec()), 0);
    assert_eq!(pieces(&blob, &plain), [header(), (Err(true), length)]);
    let twice = [blob.clone(), blob.clone(), b"behind".to_vec()].concat();
    assert_eq!(
        pieces(&twice, &plain.repeat(2)),
        [header(), (Err(true), length), header(), (Err(true), length), (Ok(b"behind".to_vec()), 0)]
    );
    // A trailer that is another one is kept, and so is half of one.
    let mut wrong = blob.clone();
    let end = wrong.len();
    wrong[end - 8] ^= 1;
    assert_eq!(pieces(&wrong, &plain), [header(), (Err(false), length), (Ok(wrong[end - 8..].to_vec()), 0)]);
    let half = &blob[..end - 3];
    assert_eq!(pieces(half, &plain), [header(), (Err(false), length), (Ok(half[end - 8..].to_vec()), 0)]);
}

#[test]
fn the_trailer_of_a_long_member_is_kept() {
    let held = usize::try_from(DEFLATE_HELD_BYTES).unwrap();
    for (length, is_made) in [(held, true), (held + 1, false)] {
        let plain = vec![b'x'; length];
        let blob = member(&plain);
        let found = pieces(&blob, &plain);
        assert_eq!(found[1], (Err(is_made), length as u64), "{length}");
        assert_eq!(found.get(2).is_some(), !is_made);
    }
}

#[test]
fn only_a_stream_that_is_made_makes_a_plan() {
    let unknown =
        |blob: &[u8], plain: &[u8]| matches!(find(&blob.to_vec(), &plain.to_vec()).unwrap(), SearchOutcome::Unknown(_));
    let plain = noise(1, 400);
    let blob = member(&plain);
    assert!(!unknown(&blob, &plain));
    for (other, plain, what) in [
        (&blob[..HEADER.len()], &plain[..], "a header"),
        (&[HEADER, b"\x03\x01"].concat(), &plain, "a stream that is cut"),
        (&[HEADER, &[0xff; 300]].concat(), &plain, "no stream"),
        (b"PK\x03\x04 and more than that, much more", &plain, "another format"),
        (&blob, &plain[..399], "a byte of the plain ones less"),
        (&blob, &[&plain[..], b"x"].concat(), "a byte of the plain ones more"),
        (&blob, &noise(3, 400), "other plain bytes"),
    ] {
        assert!(unknown(other, plain), "{what}");
    }
}

#[test]
fn the_start_of_a_blob_is_asked_for_once_it_has_a_stream() {
    let plain = noise(1, 2_000);
    let likely = |blob: &[u8], plain: &[u8]| is_likely(&blob.to_vec(), &plain.to_vec()).unwrap();
    let blob = member(&plain);
    assert!(likely(&blob, &plain));
    // Up to where the trailer would stand: a byte less and that is a part of the stream.
    assert!(likely(&blob[..blob.len() - 8], &plain) && likely(&blob[..HEADER.len() + 9], &plain));
    for length in 0..=HEADER.len() + 8 {
        assert!(!likely(&blob[..length], &plain), "cut to {length} bytes");
    }
    let mut wrong = blob.clone();
    let end = wrong.len();
    wrong[end - 9] ^= 0x10;
    assert!(!likely(&wrong, &plain), "the last byte of the stream");
    wrong[end - 9] ^= 0x10;
    wrong[end - 8] ^= 0x10;
    assert!(likely(&wrong, &plain), "the trailer is not looked at");
}
