//! The base with the addresses of the target.

use super::elf::{number, word_at};
use super::space::Space;

pub(super) struct Output<'a> {
    /// The base as it is.
    pub(super) base: &'a [u8],
    pub(super) space: &'a Space<'a>,
    written: Written,
}

impl<'a> Output<'a> {
    pub(super) fn new(base: &'a [u8], space: &'a Space<'a>) -> Self {
        Self { base, space, written: Written::Beside(Changes::new(base.len())) }
    }

    pub(super) fn put_number(&mut self, at: usize, value: u32) {
        self.written.put(self.base, at, value);
    }

    pub(super) fn put_word(&mut self, at: usize, value: u64, word: usize) {
        let [low, high] =
            [value, value >> 32].map(|half| u32::try_from(half & u64::from(u32::MAX)).unwrap_or_default());
        if word == 4 {
            if high == 0 {
                self.put_number(at, low);
            }
        } else if word_at(self.base, at, 8).is_some() {
            self.put_number(at, low);
            self.put_number(at + 4, high);
        }
    }

    /// An address in a word; what is none stays.
    pub(super) fn address(&mut self, at: usize, word: usize) {
        if let Some(moved) = word_at(self.base, at, word).and_then(|address| self.space.moved(address)) {
            self.put_word(at, moved, word);
        }
    }

    /// A signed distance of 32 bits at `at` that counts from address `from`, which moves to `moved_from`.
    pub(super) fn distance(&mut self, at: usize, from: u64, moved_from: u64) {
        let Some(distance) = number(self.base, at) else { return };
        let to = from.wrapping_add_signed(i64::from(distance.cast_signed()));
        if let Some(moved) = self.space.moved(to) {
            self.put_distance(at, moved, moved_from);
        }
    }

    /// The low 32 bits of a distance.
    pub(super) fn put_distance(&mut self, at: usize, to: u64, from: u64) {
        let [one, two, three, four, ..] = to.wrapping_sub(from).to_le_bytes();
        self.put_number(at, u32::from_le_bytes([one, two, three, four]));
    }

    pub(super) fn finish(self) -> Written {
        self.written
    }
}

/// What was written over the base.
pub(super) enum Written {
    /// Kept beside it, as long as that takes less than a copy.
    Beside(Changes),
    Copy(Vec<u8>),
}

impl Written {
    fn put(&mut self, base: &[u8], at: usize, value: u32) {
        let Some(old) = number(base, at) else { return };
        match self {
            Self::Copy(copy) => put(copy, at, value),
            Self::Beside(changes) => {
                changes.put(at, value, old);
                if changes.bytes() >= base.len() {
                    *self = Self::Copy(changes.written_over(base.to_vec()));
                }
            }
        }
    }

    /// The `base` with all of it.
    pub(super) fn over(self, base: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Beside(changes) => changes.written_over(base),
            Self::Copy(copy) => copy,
        }
    }
}

/// Numbers of 32 bits that differ from the base's, or stand where one did.
pub(super) struct Changes {
    /// Offsets and numbers, in the order in which they were written.
    numbers: Vec<(u32, u32)>,
    /// For every four bytes of the base a bit: whether one of the numbers has a byte there.
    touched: Vec<u64>,
}

impl Changes {
    fn new(length: usize) -> Self {
        // A number may reach one place further than it starts.
        Self { numbers: Vec::new(), touched: vec![0; length / (4 * 64) + 2] }
    }

    fn bytes(&self) -> usize {
        self.numbers.len() * size_of::<(u32, u32)>()
    }

    fn put(&mut self, at: usize, value: u32, old: u32) {
        let places = [at / 4, at.div_ceil(4)].map(|place| (place / 64, 1_u64 << (place % 64)));
        if value == old && places.iter().all(|(word, bit)| self.touched[*word] & bit == 0) {
            return;
        }
        places.iter().for_each(|(word, bit)| self.touched[*word] |= bit);
        // What is predicted is shorter than 4 GiB.
        self.numbers.push((u32::try_from(at).unwrap_or(u32::MAX), value));
    }

    fn written_over(&self, mut base: Vec<u8>) -> Vec<u8> {
        self.numbers.iter().for_each(|(at, value)| put(&mut base, *at as usize, *value));
        base
    }
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = value.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What writing to a copy at once makes, and whether the numbers were kept beside the base.
    fn compare(base: &[u8], writes: &[(usize, u32)]) -> bool {
        let mut written = Written::Beside(Changes::new(base.len()));
        let mut expected = base.to_vec();
        for (at, value) in writes {
            written.put(base, *at, *value);
            put(&mut expected, *at, *value);
        }
        let is_beside = matches!(written, Written::Beside(_));
        assert_eq!(written.over(base.to_vec()), expected);
        is_beside
    }

    #[test]
    fn the_last_number_stays_also_where_it_is_the_bases() {
        let base: Vec<u8> = (0..100).collect();
        assert!(compare(&base, &[(8, 7), (8, u32::from_le_bytes([8, 9, 10, 11]))]));
        assert!(compare(&base, &[(5, 7), (8, u32::from_le_bytes([8, 9, 10, 11]))]));
        assert!(compare(&base, &[(11, 7), (8, u32::from_le_bytes([8, 9, 10, 11]))]));
        assert!(compare(&base, &[(96, 1), (97, 2), (usize::MAX, 3)]));
        assert!(compare(&[], &[(0, 1)]));
    }

    #[test]
    fn many_numbers_become_a_copy() {
        let base = vec![0; 4096];
        let writes: Vec<_> = (0..1000).map(|number| (number * 4, u32::try_from(number).unwrap_or_default())).collect();
        assert!(compare(&base, &writes[..512]));
        assert!(!compare(&base, &writes));
        let back = writes.iter().copied().chain([(40, 0), (41, 9)]).collect::<Vec<_>>();
        assert!(!compare(&base, &back));
    }

    #[test]
    fn a_number_is_kept_only_where_it_changes_something() {
        let base: Vec<u8> = (0..100).collect();
        let own = |at: usize| number(&base, at).unwrap();
        for (writes, kept) in [
            (vec![(8, own(8))], 0),
            (vec![(9, own(9))], 0),
            (vec![(8, 1)], 1),
            (vec![(8, 1), (8, own(8))], 2),
            // Beside something that was written, on either side, and further away.
            (vec![(8, 1), (12, own(12))], 1),
            (vec![(8, 1), (11, own(11))], 2),
            (vec![(9, 1), (12, own(12))], 2),
            (vec![(9, 1), (13, own(13))], 2),
            (vec![(9, 1), (16, own(16))], 1),
            (vec![(96, 1)], 1),
            (vec![(97, 1), (usize::MAX, 1)], 0),
        ] {
            let mut written = Written::Beside(Changes::new(base.len()));
            writes.iter().for_each(|(at, value)| written.put(&base, *at, *value));
            let Written::Beside(changes) = &written else { panic!("few numbers") };
            assert_eq!(changes.numbers.len(), kept, "{writes:?}");
            compare(&base, &writes);
        }
    }

    #[test]
    fn numbers_are_kept_beside_the_base_as_long_as_they_take_less() {
        // Eight bytes for each number.
        let writes = |count: usize| (0..count).map(|at| (at, 0xffff_ffff)).collect::<Vec<_>>();
        for (length, count, is_beside) in [(800, 99, true), (800, 100, false), (801, 100, true), (801, 101, false)] {
            assert_eq!(compare(&vec![0; length], &writes(count)), is_beside, "{count} of {length}");
        }
    }
}
