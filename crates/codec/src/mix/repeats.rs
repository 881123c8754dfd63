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

#[cfg(test)]
mod tests {
    use super::*;

    /// The repeat behind all of `bytes`, as if what it followed before had not come.
    fn behind(bytes: &[u8], asked: usize, least: usize) -> Repeat {
        let mut repeat = Repeat::new(asked, least);
        for length in 1..=bytes.len() {
            repeat.length = 0;
            repeat.follow(&bytes[..length]);
        }
        repeat
    }

    #[test]
    fn the_place_behind_as_many_equal_bytes_is_followed() {
        for (bytes, asked, least, place, length) in [
            (&b"abcXabc"[..], 3, 2, 3, 3),
            (b"abcXabcX", 3, 2, 4, 4),
            (b"abcXYabcX", 3, 2, 4, 4),
            // Too few bytes agree, or are there at all.
            (b"abcXab", 3, 2, 0, 0),
            (b"ab", 3, 2, 0, 0),
            (b"abc", 3, 2, 0, 0),
            // More agree than are asked for.
            (b"-abcdefX-abcdef", 6, 4, 7, 7),
            (b"-abcdeX-abcde", 6, 4, 6, 6),
        ] {
            let found = behind(bytes, asked, least);
            assert_eq!((found.place, found.length()), (place, length), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_last_place_counts_and_the_bytes_before_it_up_to_40() {
        let found = behind(b"abcX-abcY-abc", 3, 2);
        assert_eq!((found.place, found.length()), (8, 4));
        let long: Vec<u8> = (0..60).collect();
        for (count, length) in [(39, 39), (40, 40), (41, 40), (60, 40)] {
            let found = behind(&[&long[..], &long[..count]].concat(), 3, 2);
            assert_eq!((found.place, found.length()), (count, length));
        }
    }

    #[test]
    fn what_is_followed_grows_with_each_byte() {
        let bytes = b"abcdefgabcdefg";
        let mut repeat = behind(&bytes[..10], 3, 2);
        assert_eq!((repeat.place, repeat.length()), (3, 3));
        for more in 1..=4 {
            repeat.follow(&bytes[..10 + more]);
            assert_eq!((repeat.place, repeat.length()), (3 + more, 3 + more));
        }
    }

    #[test]
    fn bits_are_expected_as_long_as_they_come() {
        let bytes = b"abcXabc";
        let mut repeat = behind(bytes, 3, 2);
        assert!(!repeat.expects());
        let expected = u32::from(b'X') | 0x100;
        for done in 0..8 {
            let bits = usize::try_from(expected >> (8 - done)).unwrap();
            repeat.ask(bytes, bits);
            assert!(repeat.expects());
            assert_eq!(repeat.guess, Some((3, expected >> (7 - done) & 1 == 1)));
        }
        // Another bit came: nothing is expected until something is found again.
        assert_eq!(repeat.ask(bytes, 0b11), 0);
        assert_eq!((repeat.expects(), repeat.length()), (false, 0));
        assert_eq!(repeat.ask(bytes, 1), 0);
        assert!(!repeat.expects());
    }

    #[test]
    fn a_guess_learns_for_its_length_of_at_most_63() {
        for (length, place) in [(3, 3), (63, 63), (64, 63), (1_000, 63)] {
            let mut repeat = behind(b"abcXabc", 3, 2);
            repeat.length = length;
            let before = repeat.ask(b"abcXabc", 1);
            assert_eq!(before, 0);
            repeat.learn(false);
            assert!(repeat.ask(b"abcXabc", 1) < 0, "X starts with a 0");
            assert!(repeat.counters[place][0].logit() < 0 && repeat.counters[place][1].logit() == 0);
            assert!(repeat.counters.iter().enumerate().all(|(other, pair)| other == place || pair[0].logit() == 0));
        }
    }
}
