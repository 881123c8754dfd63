//! Code of `AArch64` processors (Arm ARM, C4.1): branches, and addresses that are made of a page and an offset in it.

use super::elf::{Section, number};
use super::output::Output;

/// Instructions behind an ADRP among which the offset in its page is looked for.
const REACH: usize = 24;

const PAGE: u64 = 4096;

/// Follows branches and addresses in a section of code.
pub(super) fn predict(output: &mut Output<'_>, section: &Section<'_>) {
    let start = section.offset.next_multiple_of(4);
    for at in (start..section.end().saturating_sub(3)).step_by(4) {
        let Some(instruction) = number(output.base, at) else { return };
        match instruction >> 24 {
            0x14..=0x17 | 0x94..=0x97 => branch(output, at, instruction, 0, 26),
            0x54 | 0x34 | 0x35 | 0xb4 | 0xb5 | 0x18 | 0x58 | 0x98 | 0x1c | 0x5c | 0x9c => {
                branch(output, at, instruction, 5, 19);
            }
            0x36 | 0x37 | 0xb6 | 0xb7 => branch(output, at, instruction, 5, 14),
            top if top & 0x9f == 0x10 => near(output, at, instruction),
            top if top & 0x9f == 0x90 => page(output, at, instruction, section.end()),
            _ => {}
        }
    }
}

/// A distance in instructions, in the `width` bits of the instruction from `low` on.
fn branch(output: &mut Output<'_>, at: usize, instruction: u32, low: u32, width: u32) {
    let mask = ((1 << width) - 1) << low;
    let distance = (instruction & mask) << (32 - width - low);
    let distance = i64::from(distance.cast_signed() >> (32 - width)) * 4;
    let Some(to) = output.space.address(at as u64).map(|from| from.wrapping_add_signed(distance)) else { return };
    if let (Some(from), Some(to)) = (output.space.moved_offset(at as u64), output.space.moved(to)) {
        let [one, two, three, four, ..] = (to.wrapping_sub(from).cast_signed() >> 2).to_le_bytes();
        let moved = u32::from_le_bytes([one, two, three, four]) << low & mask;
        output.put_number(at, instruction & !mask | moved);
    }
}

/// The 21 bits of ADR and ADRP.
const fn immediate(instruction: u32) -> i64 {
    let bits = instruction >> 3 & 0x1f_fffc | instruction >> 29 & 3;
    ((bits << 11).cast_signed() >> 11) as i64
}

fn with_immediate(instruction: u32, value: u64) -> u32 {
    let [one, two, three, four, ..] = value.to_le_bytes();
    let bits = u32::from_le_bytes([one, two, three, four]) & 0x1f_ffff;
    instruction & !0x60ff_ffe0 | (bits >> 2) << 5 | (bits & 3) << 29
}

/// ADR: an address in bytes from the instruction.
fn near(output: &mut Output<'_>, at: usize, instruction: u32) {
    let from = output.space.address(at as u64);
    let to = from.and_then(|from| output.space.moved(from.wrapping_add_signed(immediate(instruction))));
    if let (Some(from), Some(to)) = (output.space.moved_offset(at as u64), to) {
        output.put_number(at, with_immediate(instruction, to.wrapping_sub(from)));
    }
}

/// ADRP: the page of an address whose offset in the page stands in later instructions.
fn page(output: &mut Output<'_>, at: usize, instruction: u32, end: usize) {
    let Some(from) = output.space.address(at as u64) else { return };
    let page = (from & !(PAGE - 1)).wrapping_add_signed(immediate(instruction).wrapping_mul(4096));
    let register = instruction & 31;
    let mut found = None;
    for later in (at + 4..end.saturating_sub(3)).step_by(4).take(REACH) {
        let Some(use_of) = number(output.base, later) else { break };
        if let Some(scale) = scale(use_of)
            && use_of >> 5 & 31 == register
        {
            let offset = u64::from(use_of >> 10 & 0xfff) << scale;
            if let Some(moved) = output.space.moved(page.wrapping_add(offset)) {
                found = found.or(Some(moved));
                let low = (moved & (PAGE - 1)) >> scale;
                let [one, two, ..] = low.to_le_bytes();
                let low = u32::from(u16::from_le_bytes([one, two]));
                output.put_number(later, use_of & !(0xfff << 10) | low << 10);
            }
        }
        let is_page = use_of & 0x9f00_0000 == 0x9000_0000;
        if is_page && use_of & 31 == register {
            break;
        }
    }
    let moved = found.or_else(|| output.space.moved(page));
    if let (Some(from), Some(to)) = (output.space.moved_offset(at as u64), moved) {
        let pages = (to & !(PAGE - 1)).wrapping_sub(from & !(PAGE - 1)).cast_signed() >> 12;
        output.put_number(at, with_immediate(instruction, pages.cast_unsigned()));
    }
}

/// The scale of the offset in an ADD (immediate) or a load or store (unsigned immediate); `None` for others.
const fn scale(instruction: u32) -> Option<u32> {
    if instruction & 0xffc0_0000 == 0x9100_0000 {
        return Some(0);
    }
    if instruction & 0x3b00_0000 != 0x3900_0000 {
        return None;
    }
    let is_wide_vector = instruction & 0x0480_0000 == 0x0480_0000;
    Some(if is_wide_vector { 4 } else { instruction >> 30 })
}
