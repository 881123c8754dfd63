//! Values and literals that are mixed with what stands around them come back with the patches that take them, and from nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

#[allow(dead_code, reason = "the programs are for the standard formats")]
mod common;

use std::io;

use common::{base_and_target, noise};
use delta_codec::ReadAt;
use delta_codec::align::{Fineness, Match};
use delta_codec::mix::{Guided, Guides, Segment, decode_guided, join};
use delta_codec::patch::{self, Error, Prediction, Streams, no_prediction};
use proptest::prelude::*;

type Written = Streams<Vec<u8>>;

/// Bases and what is made of them.
type Pairs = [(Vec<u8>, Vec<u8>)];

/// A seed of noise of which the bases have nothing.
const STRANGE: u64 = 1 << 40;

/// Bytes that are somewhere else than in memory.
struct Stored(Vec<u8>);

impl ReadAt for Stored {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

fn patches(pairs: &Pairs, prediction: &Prediction<'_>) -> Written {
    let mut streams = Written::default();
    for (base, target) in pairs {
        patch::encode(base, target, prediction, Fineness::Every, &mut streams).unwrap();
    }
    streams
}

/// The targets as the patches make them of the bases, with what is guided in the place of streams.
fn rebuilt<'a>(
    sizes: impl IntoIterator<Item = (&'a dyn ReadAt, usize)>,
    prediction: &Prediction<'_>,
    streams: &Written,
    guides: &mut Guides,
) -> Result<Vec<Vec<u8>>, Error> {
    let Streams { control, gaps, values, literals } = streams;
    let mut left: Streams<&[u8]> = Streams { control, gaps, values, literals };
    let target = |(base, length): (&dyn ReadAt, usize)| {
        let mut out = Vec::new();
        patch::decode_guided(base, length as u64, prediction, (&mut left, &mut *guides), &mut out)?;
        Ok(out)
    };
    sizes.into_iter().map(target).collect()
}

fn sizes(pairs: &Pairs) -> impl Iterator<Item = (&dyn ReadAt, usize)> {
    pairs.iter().map(|(base, target)| (base as &dyn ReadAt, target.len()))
}

/// The control and the gaps of the patches, and what else they need, guided.
fn guided(pairs: &Pairs, prediction: &Prediction<'_>) -> (Written, Vec<u8>) {
    let streams = patches(pairs, prediction);
    let mut guides = Guides::encoders(Some(streams.values.len()), Some(streams.literals.len()));
    let made = rebuilt(sizes(pairs), prediction, &streams, &mut guides).unwrap();
    assert!(made.iter().eq(pairs.iter().map(|(_, target)| target)), "an encoder changes nothing");
    let smallest = |coded: Vec<Guided>| coded.into_iter().filter_map(Guided::finish).min_by_key(Segment::coded_bytes);
    let segments = [guides.values, guides.literals].map(|coded| smallest(coded).unwrap());
    (Streams { values: Vec::new(), literals: Vec::new(), ..streams }, join(&segments).unwrap())
}

fn decoders(coded: &[u8]) -> Guides {
    decode_guided(coded, u64::MAX).unwrap().1
}

#[test]
fn what_is_predicted_is_what_guides() {
    let base = noise(1, 20_000);
    let target: Vec<u8> = base.iter().zip(0..).map(|(byte, at)| byte.wrapping_add(u8::from(at % 5 == 0))).collect();
    let guess: Vec<u8> = target.iter().zip(0..).map(|(byte, at)| byte ^ u8::from(at % 7 == 0)).collect();
    let prediction = |_: &[Match]| Ok(Some(guess.clone()));
    let pairs = [(base, target)];
    let (streams, coded) = guided(&pairs, &prediction);
    assert!(rebuilt(sizes(&pairs), &prediction, &streams, &mut decoders(&coded)).unwrap()[0] == pairs[0].1);
    let unpredicted = rebuilt(sizes(&pairs), &no_prediction, &streams, &mut decoders(&coded));
    assert!(unpredicted.is_ok_and(|made| made[0] != pairs[0].1), "the prediction was taken");
}

#[test]
fn it_makes_no_difference_where_the_base_is() {
    // More than is held at once, with a change on both sides of where blocks of it end.
    let base = noise(3, 5 << 20);
    let mut target = base.clone();
    for end in (16 << 10..base.len()).step_by(128 << 10) {
        target.splice(end - 40..end + 40, noise(STRANGE + end as u64, 70));
        target[end + 1_000] ^= 1;
    }
    let pairs = [(base, target)];
    let (streams, coded) = guided(&pairs, &no_prediction);
    let stored = Stored(pairs[0].0.clone());
    let sizes = [(&stored as &dyn ReadAt, pairs[0].1.len())];
    assert!(rebuilt(sizes, &no_prediction, &streams, &mut decoders(&coded)).unwrap()[0] == pairs[0].1);
}

#[test]
fn a_patch_that_takes_more_than_is_guided_is_refused() {
    let base = noise(4, 3_000);
    let changed = |count: usize| {
        let mut target = base.clone();
        target.iter_mut().step_by(100).take(count).for_each(|byte| *byte ^= 1);
        (base.clone(), target)
    };
    let added = |count: usize| (base.clone(), [&base[..1_000], &noise(STRANGE, count), &base[1_000..]].concat());
    for [less, more] in [[changed(5), changed(10)], [added(90), added(100)]] {
        let (_, coded) = guided(std::slice::from_ref(&less), &no_prediction);
        let (streams, _) = guided(std::slice::from_ref(&more), &no_prediction);
        let refused = rebuilt(sizes(&[more]), &no_prediction, &streams, &mut decoders(&coded));
        assert!(matches!(refused, Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::UnexpectedEof));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn patches_share_what_is_guided(pairs in proptest::collection::vec(base_and_target(), 0..4)) {
        let (streams, coded) = guided(&pairs, &no_prediction);
        let made = rebuilt(sizes(&pairs), &no_prediction, &streams, &mut decoders(&coded)).unwrap();
        prop_assert!(made.iter().eq(pairs.iter().map(|(_, target)| target)));
    }

    #[test]
    fn what_is_damaged_is_an_error_or_other_bytes_but_no_panic(
        pair in base_and_target(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        other_base in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        let length = pair.1.len();
        let (streams, mut coded) = guided(&[pair], &no_prediction);
        for (place, change) in damage {
            let place = place.index(coded.len());
            coded[place] ^= change;
        }
        for coded in [&coded[..], &coded[..cut.index(coded.len())]] {
            if let Ok((_, mut guides)) = decode_guided(coded, 1 << 20) {
                let sizes = [(&other_base as &dyn ReadAt, length)];
                if let Ok(made) = rebuilt(sizes, &no_prediction, &streams, &mut guides) {
                    prop_assert_eq!(made[0].len(), length);
                }
            }
        }
    }
}
