//! What followed when the last bytes stood there before: FORMAT.md, section 19.5.

use super::contexts::hash;
use super::logistic::Counter;

/// The numbers of places are kept under so many bits of a hash.
const PLACE_BITS: u32 = 18;

/// A repeat is not looked at further back.
const LONGEST: usize = 40;

/// Follows the last place where as many bytes stood as `asked`, and agrees with it for `least` at least.
pub(super) struct Repeat {
    asked: usize,
    least: usize,
    places: Vec<u32>,
    place: usize,
    length: usize,
    counters: [[Counter; 2]; 64],
    /// The length, at most 63, and the bit that is expected.
    guess: Option<(usize, bool)>,
}

impl Repeat {
    pub(super) fn new(asked: usize, least: usize) -> Self {
        let counters = [[Counter::new(1 << 21); 2]; 64];
        Self { asked, least, places: vec![0; 1 << PLACE_BITS], place: 0, length: 0, counters, guess: None }
    }

    /// How many bytes agree.
    pub(super) const fn length(&self) -> usize {
        self.length
    }

    pub(super) const fn expects(&self) -> bool {
        self.guess.is_some()
    }

    /// The logit of what is expected behind `bits`, those of this byte behind a 1.
    pub(super) fn ask(&mut self, bytes: &[u8], bits: usize) -> i32 {
        self.guess = None;
        if self.length == 0 {
            return 0;
        }
        let expected = usize::from(bytes[self.place]) | 0x100;
        let done = bits.ilog2();
        if expected >> (8 - done) != bits {
            self.length = 0;
            return 0;
        }
        let bit = expected >> (7 - done) & 1;
        let length = self.length.min(63);
        self.guess = Some((length, bit == 1));
        self.counters[length][bit].logit()
    }

    pub(super) fn learn(&mut self, bit: bool) {
        if let Some((length, expected)) = self.guess {
            self.counters[length][usize::from(expected)].learn(bit);
        }
    }

    /// Looks behind the last of `bytes`.
    pub(super) fn follow(&mut self, bytes: &[u8]) {
        if self.length > 0 {
            self.place += 1;
            self.length += 1;
        }
        let Some(last) = bytes.len().checked_sub(self.asked).map(|start| &bytes[start..]) else { return };
        let key = last.iter().fold(0, |key, byte| hash(key, u32::from(*byte)));
        let entry = &mut self.places[(key >> (32 - PLACE_BITS)) as usize];
        if self.length == 0 && *entry > 0 {
            let place = *entry as usize;
            let agree = bytes[..place].iter().rev().zip(bytes.iter().rev()).take(LONGEST);
            let agree = agree.take_while(|(one, other)| one == other).count();
            if agree >= self.least {
                (self.place, self.length) = (place, agree);
            }
        }
        *entry = u32::try_from(bytes.len()).unwrap_or(0);
    }
}
