//! What is guided comes back, and its bounds.

use super::*;
use crate::limits::MIX_BYTES;
use crate::mix::{decode, decode_guided, join};
use crate::noise::noise;

/// Values that depend on the byte that each is added to, on which side noise stands.
fn values(count: usize) -> Vec<(u8, u8)> {
    noise(7, count).iter().map(|base| (*base, base.rotate_left(3) ^ 0x5a)).collect()
}

/// The next value of the only stream of `guides`, which an encoder is told.
fn value(guides: &mut Guides, base: u8, told: u8) -> Option<u8> {
    guides.values[0].guide([3, 5], base, [1, 2]);
    guides.values[0].code(told)
}

fn coded(values: &[(u8, u8)], is_guided: bool) -> Segment {
    let mut guides = Guides::encoders(Some(values.len()), None);
    for (base, told) in values {
        assert_eq!(value(&mut guides, if is_guided { *base } else { 0 }, *told), Some(*told));
    }
    guides.values.remove(0).finish().unwrap()
}

#[test]
fn guided_values_come_back_and_are_smaller_for_the_base() {
    let values = values(3_000);
    let segment = coded(&values, true);
    assert!(segment.coded_bytes() * 4 < coded(&values, false).coded_bytes(), "{} bytes", segment.coded_bytes());
    let (plain, mut guides) = decode_guided(&join(&[segment]).unwrap(), u64::MAX).unwrap();
    assert!(plain.is_empty() && guides.literals.is_empty() && guides.values[0].length() == values.len());
    assert!(values.iter().all(|(base, told)| value(&mut guides, *base, 0) == Some(*told)));
    assert_eq!(value(&mut guides, 0, 0), None, "there are no more");
}

#[test]
fn literals_that_were_seen_come_back_as_hardly_anything() {
    let shown = noise(8, 2_000);
    for number in [0, 1] {
        let mut guides = Guides::encoders(None, Some(shown.len()));
        let mut encoder = guides.literals.swap_remove(number);
        encoder.see(&shown);
        assert!(shown.iter().all(|byte| encoder.code(*byte) == Some(*byte)));
        let segment = encoder.finish().unwrap();
        assert!(segment.coded_bytes() < shown.len() / 5, "{} bytes", segment.coded_bytes());
        let (_, mut guides) = decode_guided(&join(&[segment]).unwrap(), u64::MAX).unwrap();
        guides.literals[0].see(&shown);
        assert!(shown.iter().all(|byte| guides.literals[0].code(0) == Some(*byte)));
    }
}

#[test]
fn no_more_is_shown_than_the_bound() {
    let mut guides = Guides::encoders(None, Some(1));
    let literals = &mut guides.literals[0];
    literals.see(&vec![0; MIX_SEEN_BYTES - 1]);
    assert!(literals.may_see());
    literals.see(&[0]);
    assert!(!literals.may_see());
}

#[test]
fn an_encoder_that_was_not_told_all_makes_nothing() {
    let mut guides = Guides::encoders(Some(2), None);
    value(&mut guides, 0, 0);
    assert!(guides.values.remove(0).finish().is_none());
}

/// A head with segments of 40 bytes for each of these models, and bodies of one byte.
fn with_models(models: &[u8]) -> Vec<u8> {
    let heads = models.iter().flat_map(|model| [*model, 40, 1]);
    let count = models.len().to_le_bytes()[0];
    [count].into_iter().chain(heads).chain(models.iter().map(|_| 7)).collect()
}

#[test]
fn guided_segments_follow_all_others_one_for_each_stream() {
    for (models, is_fine) in [
        (&[4][..], true),
        (&[5], true),
        (&[6], true),
        (&[0, 4, 5], true),
        (&[0, 6, 4], true),
        (&[7], false),
        (&[4, 0], false),
        (&[0, 4, 4], false),
        (&[5, 6], false),
        (&[5, 5], false),
    ] {
        let coded = with_models(models);
        let found = decode_guided(&coded, u64::MAX);
        assert_eq!(found.err(), (!is_fine).then_some(Error::Head), "{models:?}");
        assert_eq!(decode(&coded, u64::MAX), Err(Error::Head), "{models:?}: nothing here is guided");
    }
}

#[test]
fn guided_bytes_count_as_others_do() {
    let coded = with_models(&[4, 5]);
    assert!(decode_guided(&coded, 80).is_ok());
    assert_eq!(decode_guided(&coded, 79).err(), Some(Error::TooLong));
    let segment = |length| Segment { number: 4, length, body: vec![0; MIX_BYTES / 256 + 9] };
    assert!(join(&[segment(MIX_BYTES)]).is_some() && join(&[segment(MIX_BYTES + 1)]).is_none());
}
