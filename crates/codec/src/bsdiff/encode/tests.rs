//! The three streams that matches become, number by number and byte by byte.

use std::io::Read;

use super::*;
use crate::bsdiff::{decode, from_bytes};
use crate::full::Full;
use crate::noise::noise;
use crate::{Concat, MemoryScratch};

/// The control triples of a delta, its differences, its new bytes.
type Parts = (Vec<[i64; 3]>, Vec<u8>, Vec<u8>);

fn unpacked(part: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    bzip2::read::BzDecoder::new(part).read_to_end(&mut plain).unwrap();
    plain
}

/// What a delta consists of, as its header says.
fn parts(delta: &[u8], target: u64) -> Parts {
    assert_eq!(delta[..8], MAGIC);
    let number = |at: usize| from_bytes(*delta[at..].first_chunk().unwrap());
    let [control, differences, length] = [8, 16, 24].map(number);
    assert_eq!(length, i64::try_from(target).unwrap());
    let [control, differences] = [control, differences].map(|length| usize::try_from(length).unwrap());
    let (control, rest) = delta[32..].split_at(control);
    let (differences, extra) = rest.split_at(differences);
    let control = unpacked(control);
    let numbers: Vec<i64> = control.as_chunks().0.iter().map(|bytes| from_bytes(*bytes)).collect();
    assert_eq!(control.len() % 24, 0);
    (numbers.as_chunks().0.to_vec(), unpacked(differences), unpacked(extra))
}

fn encoded(base: &[u8], target: &[u8]) -> Parts {
    let (base, target) = (base.to_vec(), target.to_vec());
    let mut delta = Vec::new();
    encode(&base, &target, &MemoryScratch, &mut delta).unwrap();
    let mut again = Vec::new();
    decode(&base, &delta, &mut again, target.len() as u64).unwrap();
    assert!(again == target);
    parts(&delta, target.len() as u64)
}

/// The streams of these matches, whatever an aligner would find.
fn written(base: &[u8], target: &[u8], matches: &[Match]) -> Parts {
    let (base, target) = (base.to_vec(), target.to_vec());
    let [control, differences, extra] = [(); 3].map(|()| stream(&MemoryScratch).unwrap());
    let last = Match { target: 0, base: 0, length: 0 };
    let (held_base, held_target) = (Bytes::walked(&base).unwrap(), Bytes::walked(&target).unwrap());
    let mut streams = Streams { base: held_base, target: held_target, control, differences, extra, last };
    matches.iter().for_each(|found| streams.take(*found).unwrap());
    let (control, differences, extra) = streams.finish().unwrap();
    let mut delta = MAGIC.to_vec();
    delta
        .extend([control.len(), differences.len(), target.len() as u64].iter().flat_map(|length| length.to_le_bytes()));
    for part in [control, differences, extra] {
        Reader::new(part).read_to_end(&mut delta).unwrap();
    }
    let mut again = Vec::new();
    decode(&base, &delta, &mut again, target.len() as u64).unwrap();
    assert!(again == target, "{matches:?}");
    parts(&delta, target.len() as u64)
}

#[test]
fn a_triple_says_how_many_bytes_are_alike_how_many_are_new_and_where_it_goes_on() {
    let base: Vec<u8> = (0..100).collect();
    let found = |target, base, length| Match { target, base, length };
    let part = |from: usize, to: usize| base[from..to].to_vec();
    for (target, matches, triples, extra) in [
        (part(0, 100), vec![found(0, 0, 100)], vec![[100, 0, 0]], &b""[..]),
        // A match that starts elsewhere needs a triple that goes there.
        (part(40, 90), vec![found(0, 40, 50)], vec![[0, 0, 40], [50, 0, 0]], b""),
        ([b"new", &part(0, 20)[..]].concat(), vec![found(3, 0, 20)], vec![[0, 3, 0], [20, 0, 0]], b"new"),
        ([b"new", &part(7, 20)[..]].concat(), vec![found(3, 7, 13)], vec![[0, 3, 7], [13, 0, 0]], b"new"),
        (
            [&part(10, 30)[..], b"between", &part(50, 60), &part(0, 9), b"end"].concat(),
            vec![found(0, 10, 20), found(27, 50, 10), found(37, 0, 9)],
            vec![[0, 0, 10], [20, 7, 20], [10, 0, -60], [9, 3, 0]],
            b"betweenend",
        ),
        // Without a match all is new.
        (b"only this".to_vec(), vec![], vec![[0, 9, 0]], b"only this"),
        (vec![], vec![], vec![], b""),
    ] {
        let (control, differences, new) = written(&base, &target, &matches);
        assert_eq!(control, triples, "{matches:?}");
        assert_eq!(new, extra, "{matches:?}");
        assert!(differences.iter().all(|byte| *byte == 0));
        assert_eq!(differences.len() as u64, matches.iter().map(|found| found.length).sum::<u64>());
    }
}

#[test]
fn differences_are_what_is_added_to_the_base_modulo_256() {
    let base = vec![0, 1, 255, 128, 7, 200];
    let target = vec![0, 0, 0, 0, 255, 100];
    let whole = [Match { target: 0, base: 0, length: 6 }];
    assert_eq!(written(&base, &target, &whole).1, [0, 255, 1, 128, 248, 156]);
}

#[test]
fn the_matches_of_the_aligner_become_triples() {
    let base = noise(1, 5_000);
    // Nothing of the target stands elsewhere in the base.
    let target = [&base[3_000..4_000], &noise(2, 100), &base[500..1_500]].concat();
    let (control, differences, extra) = encoded(&base, &target);
    let reached: i64 = control.iter().map(|[add, new, _]| add + new).sum();
    assert_eq!((reached, differences.len() + extra.len()), (2_100, 2_100));
    assert!(control.len() <= 4 && (90..=110).contains(&extra.len()), "{control:?}");
    let all = |add: i64| vec![[add, 0, 0]];
    assert_eq!(encoded(&base, &base).0, all(5_000));
    assert_eq!(encoded(&base, &base[..700]).0, all(700));
    assert_eq!(encoded(b"", b""), (vec![], vec![], vec![]));
    assert_eq!(encoded(&base, b""), (vec![], vec![], vec![]));
    assert_eq!(encoded(b"", &base), (vec![[0, 5_000, 0]], vec![], base));
}

#[test]
fn bytes_in_pieces_become_the_same_streams() {
    let base = noise(1, 300_000);
    let mut target = [&base[150_000..], &noise(2, 70_000), &base[..140_000]].concat();
    target.iter_mut().step_by(977).for_each(|byte| *byte ^= 1);
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    encode(&base, &target, &MemoryScratch, &mut whole).unwrap();
    let cut = |bytes: &[u8]| Concat::new(bytes.chunks(10_007).map(<[u8]>::to_vec));
    encode(&cut(&base), &cut(&target), &MemoryScratch, &mut pieces).unwrap();
    assert!(whole == pieces);
}

/// Gives room for so many streams, and then none.
struct Scarce(std::sync::atomic::AtomicUsize);

impl Scratch for Scarce {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        use std::sync::atomic::Ordering;
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        MemoryScratch.create()
    }
}

#[test]
fn what_reading_writing_and_the_scratch_report_comes_through() {
    let base = noise(1, 500);
    let error = encode(&base, &base, &MemoryScratch, &mut Full).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    for streams in 0..3 {
        let error = encode(&base, &base, &Scarce(streams.into()), &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{streams} streams");
    }
    encode(&base, &base, &Scarce(3.into()), &mut Vec::new()).unwrap();
    // As much of the delta as there is room for, and then the error.
    let mut whole = Vec::new();
    encode(&base, &base, &MemoryScratch, &mut whole).unwrap();
    for room in [0, 8, 16, 31, 32, whole.len() - 1] {
        let mut held = vec![0; room];
        let error = encode(&base, &base, &MemoryScratch, &mut held.as_mut_slice()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero, "{room}");
    }
    let mut held = vec![0; whole.len()];
    encode(&base, &base, &MemoryScratch, &mut held.as_mut_slice()).unwrap();
    assert_eq!(held, whole);
}
