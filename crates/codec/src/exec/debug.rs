//! Sections for debuggers (DWARF 5): addresses of code, and what follows from them.
//!
//! They are not parsed. Eight bytes anywhere that are the address of code are one; the next eight bytes are then an address too
//! or a length where they look like it, as `DW_AT_low_pc` and `DW_AT_high_pc`, ranges and `.debug_aranges` have them.

use super::elf::{Section, word_at};
use super::output::Output;

const WORD: usize = 8;

/// A longer function or unit is not believed.
const LENGTH: u64 = 1 << 24;

/// Finds addresses in a section for debuggers of a 64-bit file.
pub(super) fn predict(output: &mut Output<'_>, section: &Section<'_>) {
    let mut at = section.offset;
    while at + WORD <= section.end() {
        at += address(output, section, at);
    }
}

/// The address at `at`, if there is one, and what follows it; returns how many bytes that were.
fn address(output: &mut Output<'_>, section: &Section<'_>, at: usize) -> usize {
    let is_one = |value: &u64| *value >> 40 == 0 && output.space.has_code(*value);
    let Some(value) = word_at(output.base, at, WORD).filter(is_one) else { return 1 };
    let Some(moved) = output.space.moved(value) else { return 1 };
    output.put_word(at, moved, WORD);
    let next = at + WORD;
    if next + WORD > section.end() {
        return WORD;
    }
    let Some(next_value) = word_at(output.base, next, WORD).filter(|next| *next > 0) else { return WORD };
    if next_value > value && next_value - value < LENGTH {
        if let Some(end) = output.space.moved_end(next_value) {
            output.put_word(next, end, WORD);
            return 2 * WORD;
        }
    } else if next_value < LENGTH && output.space.has_code(value.wrapping_add(next_value - 1)) {
        let length = output.space.moved_end(value.wrapping_add(next_value)).and_then(|end| end.checked_sub(moved));
        if let Some(length) = length {
            output.put_word(next, length, WORD);
            return 2 * WORD;
        }
    }
    WORD
}
