//! The base with the addresses of the target.

use super::elf::{number, word_at};
use super::space::Space;

pub(super) struct Output<'a> {
    /// The base as it is.
    pub(super) base: &'a [u8],
    pub(super) predicted: Vec<u8>,
    pub(super) space: &'a Space<'a>,
}

impl Output<'_> {
    pub(super) fn put_number(&mut self, at: usize, value: u32) {
        if let Some(place) = self.predicted.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            *place = value.to_le_bytes();
        }
    }

    pub(super) fn put_word(&mut self, at: usize, value: u64, word: usize) {
        if word == 4 {
            if let Ok(value) = u32::try_from(value) {
                self.put_number(at, value);
            }
        } else if let Some(place) = self.predicted.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            *place = value.to_le_bytes();
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
}
