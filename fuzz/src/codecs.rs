//! The codecs: from bytes to bytes.

use std::io::{self, BufReader};

use delta_codec::align::Fineness;
use delta_codec::compress::{Compression, decoder};
use delta_codec::deflate::nested;
use delta_codec::recreation::{Plan, SearchOutcome, find};
use delta_codec::{Bounded, MemoryScratch, exec as programs, mix as mixing, patch as patches};

use crate::{MOST, parts};

pub fn vcdiff(data: &[u8]) {
    let [base, delta] = parts(data).map(<[u8]>::to_vec);
    let mut out = Vec::new();
    if let Ok(length) = delta_codec::vcdiff::decode(&base, &delta[..], &mut out, MOST) {
        assert!(length == out.len() as u64 && length <= MOST);
    }
}

pub fn bsdiff(data: &[u8]) {
    let [base, delta] = parts(data).map(<[u8]>::to_vec);
    let mut out = Vec::new();
    if let Ok(length) = delta_codec::bsdiff::decode(&base, &delta, &mut out, MOST) {
        assert!(length == out.len() as u64 && length <= MOST);
    }
}

pub fn patch(data: &[u8]) {
    let [base, length, control, gaps, values, literals] = parts(data);
    let length = length.iter().fold(0_u64, |length, byte| (length << 8 | u64::from(*byte)) % MOST);
    let mut streams = patches::Streams {
        control: BufReader::new(control),
        gaps: BufReader::new(gaps),
        values: BufReader::new(values),
        literals: BufReader::new(literals),
    };
    let mut out = Vec::new();
    if patches::decode(&base.to_vec(), length, &patches::no_prediction, &mut streams, &mut out).is_ok() {
        assert_eq!(out.len() as u64, length);
    }
}

/// Any member is unmixed or refused; what is mixed comes back.
pub fn mix(data: &[u8]) {
    let most = MIXED_BYTES as u64;
    if let Ok(plain) = mixing::decode(data, most) {
        assert!(plain.len() <= MIXED_BYTES);
    }
    let mut before = None;
    let mut segments = Vec::new();
    let parts: [_; 3] = parts(data);
    let parts = parts.map(|part: &[u8]| &part[..part.len().min(MIXED_BYTES / 8)]);
    for (place, part) in parts.iter().enumerate() {
        let model = mixing::Model::ALL[(place + usize::from(part.first() == Some(&1))) % mixing::Model::ALL.len()];
        segments.push(mixing::Segment::new(model, part, before));
        before = Some((model, *part));
    }
    if let Some(mixed) = mixing::join(&segments) {
        assert_eq!(mixing::decode(&mixed, most), Ok(parts.concat()));
    }
}

/// Any streams patch any base with what is guided in their place, or are refused; what is guided comes back.
pub fn guided(data: &[u8]) {
    let [base, target, mixed, control, gaps] = parts(data);
    let plain = patches::Streams { control, gaps, values: &[][..], literals: &[][..] };
    if let Ok((_, mut guides)) = mixing::decode_guided(mixed, MIXED_BYTES as u64) {
        // A part says only how long what it makes is.
        rebuilt(base, target.len(), &plain, &mut guides);
    }
    let target = &target[..target.len().min(MIXED_BYTES / 2)];
    let mut streams = patches::Streams::<Vec<u8>>::default();
    patches::encode(&base.to_vec(), &target.to_vec(), &patches::no_prediction, Fineness::Every, &mut streams)
        .expect("memory is written");
    let patches::Streams { control, gaps, values, literals } = &streams;
    let written =
        patches::Streams { control: &control[..], gaps: &gaps[..], values: &values[..], literals: &literals[..] };
    let mut guides = mixing::Guides::encoders(Some(values.len()), Some(literals.len()));
    assert!(rebuilt(base, target.len(), &written, &mut guides).as_deref() == Some(target), "not what was patched");
    guides.literals.truncate(1);
    let coded: Option<Vec<_>> = guides.values.into_iter().chain(guides.literals).map(mixing::Guided::finish).collect();
    if let Some(mixed) = mixing::join(&coded.expect("each byte was told")) {
        let (_, mut guides) = mixing::decode_guided(&mixed, MIXED_BYTES as u64).expect("it was joined");
        let plain = patches::Streams { values: &[][..], literals: &[][..], ..written };
        assert!(rebuilt(base, target.len(), &plain, &mut guides).as_deref() == Some(target), "not what was mixed");
    }
}

/// What a patch makes of the base, if it makes so many bytes.
fn rebuilt(
    base: &[u8],
    length: usize,
    streams: &patches::Streams<&[u8]>,
    guides: &mut mixing::Guides,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let streams = (&mut streams.clone(), guides);
    patches::decode_guided(&base.to_vec(), length as u64, &patches::no_prediction, streams, &mut out).ok()?;
    assert_eq!(out.len(), length);
    Some(out)
}

/// The most bytes that are mixed here: a byte takes microseconds.
const MIXED_BYTES: usize = 8 << 10;

pub fn exec(data: &[u8]) {
    let [base, target, hint] = parts(data);
    assert_eq!(programs::predict(base.to_vec(), &[], hint).len(), base.len());
    if let Ok(Some(hint)) = programs::describe(&base.to_vec(), &target.to_vec()) {
        assert_eq!(programs::predict(base.to_vec(), &[], &hint).len(), base.len());
    }
}

/// Any plan closes any content, or says why not.
pub fn deflate(data: &[u8]) {
    let [plan, opened] = parts(data);
    let mut out = Vec::new();
    if let Ok(length) = nested::close(plan, &opened.to_vec(), &MemoryScratch, &mut out, MOST) {
        assert!(length == out.len() as u64 && length <= MOST);
    }
}

/// What can be opened is closed to the same bytes.
pub fn opened(data: &[u8]) {
    let content = data.to_vec();
    let nothing = Vec::new();
    let (Ok(base), Ok(_)) = (nested::unfold(&nothing, &MemoryScratch), nested::unfold(&content, &MemoryScratch)) else {
        return;
    };
    let Ok(Some(opened)) = nested::open(&content, &base, &MemoryScratch) else { return };
    let mut out = Vec::new();
    let most = content.len() as u64;
    nested::close(&opened.plan, &opened.bytes, &MemoryScratch, &mut out, most).expect("what was opened is closed");
    assert!(out == content, "another content");
}

/// Any plan makes a blob, or says why not; one that was found makes the very blob.
pub fn recreation(data: &[u8]) {
    let [plan, plain] = parts(data).map(<[u8]>::to_vec);
    if let Ok(plan) = Plan::parse(plan) {
        // What is refused is refused; what is made stays within its bound.
        let _ = plan.write(&plain, &mut Bounded::new(io::sink(), MOST, "more than a blob"));
    }
    let blob = data.to_vec();
    let mut plain = Vec::new();
    let is_opened = decoder(Compression::detect(data), data)
        .and_then(|reader| io::copy(&mut io::Read::take(reader, MOST + 1), &mut plain));
    if is_opened.is_ok_and(|length| length <= MOST)
        && let Ok(SearchOutcome::Exact(plan)) = find(&blob, &plain)
    {
        let mut out = Vec::new();
        plan.write(&plain, &mut out).expect("what was found is made");
        assert!(out == blob, "another blob");
    }
}
