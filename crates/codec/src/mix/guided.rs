//! Streams that are mixed with what stands around each byte where it is used: FORMAT.md, section 22.

use super::coder::{Decoder, Encoder};
use super::contexts::Guide;
use super::numbers::low;
use super::predictor::Predictor;
use super::{Error, Model, Segment};
use crate::limits::MIX_SEEN_BYTES;

/// The models of guided segments, by their numbers less [`FIRST_NUMBER`].
const MODELS: [Model; 3] = [Model::Values, Model::Text, Model::Code];

const FIRST_NUMBER: u64 = Model::ALL.len() as u64;

/// What codes the values and the literals of patches, each byte with what stands around it. An encoder takes the bytes of a plain stream, of which there may be
/// several for one stream, and a decoder stands in the place of the stream.
#[derive(Default)]
pub struct Guides {
    /// Of the values.
    pub values: Vec<Guided>,
    /// Of the literals.
    pub literals: Vec<Guided>,
}

impl Guides {
    /// Encoders for so many values and literals, where they are guided, by each model that may be the best.
    #[must_use]
    pub fn encoders(values: Option<usize>, literals: Option<usize>) -> Self {
        let encoders = |models: &[Model], length: Option<usize>| {
            let encoder = |model, length| Guided::new(model, length, Coder::Encoder(Encoder::new()));
            length.iter().flat_map(|length| models.iter().map(|model| encoder(*model, *length))).collect()
        };
        Self { values: encoders(&MODELS[..1], values), literals: encoders(&MODELS[1..], literals) }
    }

    /// Whether nothing is guided.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty() && self.literals.is_empty()
    }

    /// Adds the decoder of a segment; there is at most one for each stream.
    pub(super) fn add(&mut self, model: Model, length: usize, coded: &[u8]) -> Result<(), Error> {
        let stream = if model == Model::Values { &mut self.values } else { &mut self.literals };
        if !stream.is_empty() {
            return Err(Error::Head);
        }
        stream.push(Guided::new(model, length, Coder::Decoder(Decoder::new(coded), coded.to_vec())));
        Ok(())
    }
}

/// The model of a guided segment of this number.
pub(super) fn model(number: u64) -> Option<Model> {
    MODELS.get(usize::try_from(number.checked_sub(FIRST_NUMBER)?).ok()?).copied()
}

/// One stream.
pub struct Guided {
    model: Model,
    predictor: Predictor,
    coder: Coder,
    length: usize,
    left: usize,
    /// The gaps of the last two values, the latest first.
    gaps: [u32; 2],
}

enum Coder {
    Encoder(Encoder),
    Decoder(Decoder, Vec<u8>),
}

impl Guided {
    fn new(model: Model, length: usize, coder: Coder) -> Self {
        Self { model, predictor: Predictor::new(model, length, None), coder, length, left: length, gaps: [0; 2] }
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Whether it takes the bytes of a stream.
    pub(crate) const fn is_encoder(&self) -> bool {
        matches!(self.coder, Coder::Encoder(_))
    }

    /// How many bytes it knows, those that were shown to it included.
    pub(crate) const fn known(&self) -> usize {
        self.predictor.known()
    }

    /// Whether it may be shown more bytes, which bounds what is held.
    pub(crate) const fn may_see(&self) -> bool {
        self.known() < MIX_SEEN_BYTES
    }

    /// Shows it bytes that are like those which come next.
    pub(crate) fn see(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.predictor.see(*byte));
    }

    /// Says where the next value stands: its gap and the next one, the byte that it is added to, and the two bytes before, the latest first.
    pub(crate) const fn guide(&mut self, [gap, next]: [u64; 2], base: u8, behind: [u8; 2]) {
        let [before, second_before] = self.gaps;
        self.predictor.guide(Guide { gaps: [low(gap), low(next), before, second_before], base, behind });
        self.gaps = [low(gap), before];
    }

    /// The next byte, which an encoder is told; `None` behind the last one.
    pub(crate) fn code(&mut self, told: u8) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.coder {
            Coder::Encoder(encoder) => encoder.push(&mut self.predictor, told),
            Coder::Decoder(decoder, coded) => decoder.pull(&mut self.predictor, coded),
        }
        Some(self.predictor.last())
    }

    /// The segment that an encoder made, if it was told all its bytes.
    #[must_use]
    pub fn finish(self) -> Option<Segment> {
        let Coder::Encoder(encoder) = self.coder else { return None };
        let place = MODELS.iter().position(|model| *model == self.model)?;
        let number = FIRST_NUMBER + place as u64;
        (self.left == 0).then(|| Segment { number, length: self.length, body: encoder.finish() })
    }
}

#[cfg(test)]
mod tests;
