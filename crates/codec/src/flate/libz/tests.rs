use super::super::taken_apart::{self, Kind};
use super::*;
use crate::noise::noise;

fn deflater(level: u8) -> Deflater {
    Deflater::new(Settings::new(level, 15, 8, 0).unwrap()).unwrap()
}

/// What comes out when the bytes are followed by `flush`, and then by the end.
fn flushed(plain: &[u8], flush: Flush) -> (Vec<u8>, Vec<u8>) {
    let (mut deflater, mut first, mut rest) = (deflater(6), Vec::new(), Vec::new());
    deflater.run(plain, flush, &mut first).unwrap();
    if !matches!(flush, Flush::Finish) {
        deflater.run(plain, Flush::Finish, &mut rest).unwrap();
    }
    (first, rest)
}

#[test]
fn all_comes_out_however_much_that_is() {
    // Noise takes a little more than it has, several times what comes out at once.
    for length in [0, 1, 32_767, 32_768, 32_763, 200_000] {
        let plain = noise(1, length);
        let mut out = Vec::new();
        deflater(6).run(&plain, Flush::Finish, &mut out).unwrap();
        assert!(taken_apart::plain(&out) == plain, "{length}");
        assert!(taken_apart::blocks(&out).last().unwrap().is_last);
    }
}

#[test]
fn a_flush_marker_comes_once() {
    // About as much before it as comes out at once. What came before is taken first: a marker that fills what comes out would come twice.
    for length in (32_740..32_775).chain([65_480, 65_500, 65_510]) {
        let plain = noise(2, length);
        let (mut deflater, mut out) = (deflater(0), Vec::new());
        deflater.run(&plain, Flush::Block, &mut out).unwrap();
        deflater.run(&[], Flush::Sync, &mut out).unwrap();
        let empty = taken_apart::kinds(&out).iter().filter(|kind| **kind == (Kind::Stored, 0)).count();
        assert!(empty == 1 && taken_apart::plain(&out) == plain, "{length}: {empty}");
    }
}

#[test]
fn each_flush_does_what_it_is_there_for() {
    let plain = b"some bytes that come twice".repeat(3);
    let (more, _) = flushed(&plain, Flush::More);
    assert_eq!(more, b"", "it waits for more");
    let (block, rest) = flushed(&plain, Flush::Block);
    let whole = [&block[..], &rest].concat();
    assert!(!block.is_empty() && taken_apart::plain(&whole) == plain.repeat(2));
    let (sync, rest) = flushed(&plain, Flush::Sync);
    assert!(sync.ends_with(&[0, 0, 0xff, 0xff]));
    let far = taken_apart::copies(&rest).len();
    let (full, rest) = flushed(&plain, Flush::Full);
    assert_eq!(full, sync);
    // Behind the first nothing is new, behind the second all is.
    assert!(far > 0 && taken_apart::plain(&rest) == plain);
    let (finish, _) = flushed(&plain, Flush::Finish);
    assert!(taken_apart::blocks(&finish).last().unwrap().is_last);
}

#[test]
fn a_dictionary_is_what_copies_may_lead_to() {
    let plain = noise(3, 500);
    let (mut deflater, mut out) = (deflater(6), Vec::new());
    deflater.set_dictionary(&[b"-", &plain[..], b"between"].concat()).unwrap();
    deflater.run(&plain, Flush::Finish, &mut out).unwrap();
    assert_eq!(taken_apart::copies(&out), [(258, 507), (242, 507)]);
    // With bytes that wait it is too late.
    let mut deflater = super::tests::deflater(6);
    deflater.run(b"some", Flush::More, &mut Vec::new()).unwrap();
    let error = deflater.set_dictionary(b"more").unwrap_err();
    assert_eq!(error.to_string(), "zlib fails with status -2");
}

#[test]
fn bits_are_put_behind_those_that_wait() {
    let (mut deflater, mut out) = (deflater(6), Vec::new());
    assert_eq!(deflater.pending_bits().unwrap(), 0);
    deflater.push_bits(0b101, 3).unwrap();
    assert_eq!(deflater.pending_bits().unwrap(), 3);
    deflater.push_bits(0b1_1111, 5).unwrap();
    assert_eq!(deflater.pending_bits().unwrap() % 8, 0);
    deflater.push_bits(1, 2).unwrap();
    deflater.run(&[], Flush::Block, &mut out).unwrap();
    assert_eq!((out.first(), deflater.pending_bits().unwrap() < 8), (Some(&0xfd), true));
    assert_eq!(deflater.push_bits(0, 17).unwrap_err().to_string(), "zlib fails with status -5");
}

#[test]
fn settings_are_what_zlib_is_told() {
    let plain = [noise(4, 700), noise(4, 700), vec![b'r'; 400], noise(4, 700)].concat();
    let made = |settings: Settings| {
        let mut out = Vec::new();
        Deflater::new(settings).unwrap().run(&plain, Flush::Finish, &mut out).unwrap();
        assert!(taken_apart::plain(&out) == plain);
        out
    };
    let settings = |level, window, memory, strategy| Settings::new(level, window, memory, strategy).unwrap();
    let kinds = |settings| taken_apart::kinds(&made(settings)).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    // Level 0 stores; strategy 4 has the fixed codes alone, 2 no copies, and 3 only those of one byte.
    assert!(kinds(settings(0, 15, 8, 0)).iter().all(|kind| *kind == Kind::Stored));
    assert!(kinds(settings(6, 15, 8, 4)).iter().all(|kind| *kind != Kind::Own));
    assert_eq!(taken_apart::copies(&made(settings(6, 15, 8, 2))), []);
    let runs = taken_apart::copies(&made(settings(6, 15, 8, 3)));
    assert!(!runs.is_empty() && runs.iter().all(|(_, distance)| *distance == 1));
    // A window of 512 bytes reaches no copy of 700 bytes before, one of 4 KiB does.
    let farthest =
        |window| taken_apart::copies(&made(settings(6, window, 8, 0))).iter().map(|copy| copy.1).max().unwrap();
    assert!(farthest(9) <= 512 && (700..4096).contains(&farthest(12)));
    // The least memory has blocks of 127 symbols.
    assert!(taken_apart::blocks(&made(settings(6, 15, 1, 2))).iter().all(|block| block.steps.len() < 128));
}

#[test]
fn what_cannot_be_written_is_said() {
    let mut room = [0; 10];
    let error = deflater(6).run(&noise(5, 1000), Flush::Finish, &mut &mut room[..]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
}
