//! Mixing of contexts: the entropy stage for streams of a few megabytes, where every byte counts.
//!
//! Each bit is predicted from what stood before it in twelve contexts and behind two repeats of them; small networks learn which of
//! these to believe, and a binary arithmetic coder writes the bit in as many bits as it was a surprise. All of it is arithmetic on
//! integers, so that every machine comes to the same bytes. It takes three to four microseconds a byte, both ways, on one core; what
//! is mixed together is bounded, so that nobody waits for it longer than half a minute. FORMAT.md, sections 19 and 22, say all of it.

mod coder;
mod contexts;
mod guided;
mod logistic;
mod mixer;
mod numbers;
mod predictor;
mod repeats;
mod slots;

use crate::leb128;
use crate::limits::{MIX_BYTES, MIX_GROWTH, MIX_SEGMENTS};
pub use guided::{Guided, Guides};
use predictor::Predictor;

/// What is known of the bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// They are text, or much of them is.
    Text,
    /// They are programs or tables.
    Code,
    /// They are LEB128 numbers.
    Numbers,
    /// Each belongs to one of the numbers other than 0 of the segment before, in their order, where that has [`Model::Numbers`].
    Values,
}

impl Model {
    /// All models, by their numbers in the format.
    pub const ALL: [Self; 4] = [Self::Text, Self::Code, Self::Numbers, Self::Values];
}

/// Why coded segments cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The head is none.
    #[error("the head of mixed segments is damaged")]
    Head,
    /// There is more than may be.
    #[error("the mixed segments have more bytes than they may have")]
    TooLong,
}

/// A coded segment.
#[derive(Clone, Debug)]
pub struct Segment {
    number: u64,
    length: usize,
    body: Vec<u8>,
}

impl Segment {
    /// Codes `bytes`, which stand behind the segment `before`.
    #[must_use]
    pub fn new(model: Model, bytes: &[u8], before: Option<(Model, &[u8])>) -> Self {
        let body = coder::encode(&mut Predictor::new(model, bytes.len(), before), bytes);
        Self { number: model as u64, length: bytes.len(), body }
    }

    /// How many bytes it takes, but for its head of a few.
    #[must_use]
    pub const fn coded_bytes(&self) -> usize {
        self.body.len()
    }
}

/// Joins coded segments, each of which was coded behind the one before, those that are guided behind all others; `None` when they are beyond what a reader takes.
#[must_use]
pub fn join(segments: &[Segment]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    leb128::push(&mut out, segments.len() as u64);
    for segment in segments {
        leb128::push(&mut out, segment.number);
        leb128::push(&mut out, segment.length as u64);
        leb128::push(&mut out, segment.body.len() as u64);
    }
    segments.iter().for_each(|segment| out.extend(&segment.body));
    let plain: usize = segments.iter().map(|segment| segment.length).sum();
    (segments.len() <= MIX_SEGMENTS && is_allowed(plain, out.len())).then_some(out)
}

/// The plain bytes of all segments, at most `most`, none of which is guided.
///
/// # Errors
/// [`Error`]; damage behind the head gives other bytes.
pub fn decode(coded: &[u8], most: u64) -> Result<Vec<u8>, Error> {
    match decode_guided(coded, most)? {
        (plain, guides) if guides.is_empty() => Ok(plain),
        _ => Err(Error::Head),
    }
}

/// The plain bytes of the segments that are not guided, and what decodes the others; all segments have at most `most` bytes.
///
/// # Errors
/// [`Error`]; damage behind the head gives other bytes.
pub fn decode_guided(coded: &[u8], most: u64) -> Result<(Vec<u8>, Guides), Error> {
    let mut rest = coded;
    let heads = heads(&mut rest)?;
    let plain = heads.iter().try_fold(0_usize, |sum, head| sum.checked_add(head.length)).ok_or(Error::TooLong)?;
    if plain as u64 > most || !is_allowed(plain, coded.len()) {
        return Err(Error::TooLong);
    }
    let bodies = heads.iter().try_fold(0_usize, |sum, head| sum.checked_add(head.coded));
    if bodies != Some(rest.len()) {
        return Err(Error::Head);
    }
    let mut out = Vec::with_capacity(plain);
    let mut before = None;
    let mut guides = Guides::default();
    for Head { kind, length, coded } in heads {
        let (body, behind) = rest.split_at(coded);
        rest = behind;
        let model = match kind {
            Kind::Guided(model) => {
                guides.add(model, length, body)?;
                continue;
            }
            Kind::Plain(_) if !guides.is_empty() => return Err(Error::Head),
            Kind::Plain(model) => model,
        };
        let segment = before.map(|(model, start)| (model, &out[start..]));
        let mut predictor = Predictor::new(model, length, segment);
        coder::decode(&mut predictor, length, body);
        before = Some((model, out.len()));
        out.extend(predictor.into_bytes());
    }
    Ok((out, guides))
}

/// What stands before all bodies of one.
struct Head {
    kind: Kind,
    length: usize,
    coded: usize,
}

/// What the number of its model says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain(Model),
    Guided(Model),
}

impl Kind {
    fn of(number: u64) -> Option<Self> {
        let plain = usize::try_from(number).ok().and_then(|number| Model::ALL.get(number));
        plain.map(|model| Self::Plain(*model)).or_else(|| guided::model(number).map(Self::Guided))
    }
}

fn heads(rest: &mut &[u8]) -> Result<Vec<Head>, Error> {
    let mut number = || numbers::take(rest).ok_or(Error::Head);
    let size = |number: u64| usize::try_from(number).map_err(|_| Error::Head);
    let count = size(number()?)?;
    if count > MIX_SEGMENTS {
        return Err(Error::Head);
    }
    let mut head = || {
        let kind = Kind::of(number()?).ok_or(Error::Head)?;
        Ok(Head { kind, length: size(number()?)?, coded: size(number()?)? })
    };
    (0..count).map(|_| head()).collect()
}

/// Whether so many plain bytes may come of so many coded ones.
const fn is_allowed(plain: usize, coded: usize) -> bool {
    plain <= MIX_BYTES && plain <= coded.saturating_mul(MIX_GROWTH)
}

#[cfg(test)]
mod tests;
