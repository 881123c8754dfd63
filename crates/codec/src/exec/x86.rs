//! Code of x86 processors: what a distance of 32 bits leads to.
//!
//! Nothing is disassembled. A byte that may be a call, a jump, or the ModRM byte of an operand that is addressed from the
//! instruction pointer (Intel SDM 2A, 2.2.1.6) is one when the address that it leads to is in the program.

use super::elf::{Elf, Section, number};
use super::output::Output;
use super::space::Space;

/// Instructions with a ModRM byte and one opcode byte, a bit for each: arithmetic, test, xchg, mov, lea, pop, the shift, unary and
/// immediate groups, movsxd, imul.
const ONE_BYTE: [u64; 4] = [0x0f0f_0f0f_0f0f_0f0f, 0x0000_0a08_0000_0000, 0x0000_0000_0000_ffff, 0xc0c0_0000_ff0f_00c3];

/// Follows the distances in a section of code. Calls and jumps without a ModRM byte are in 32-bit code too.
pub(super) fn predict(output: &mut Output<'_>, section: &Section<'_>, is_64: bool) {
    let code = &output.base[..section.end()];
    let mut at = section.offset;
    while at + 5 <= code.len() {
        let taken = match code[at] {
            0xe8 | 0xe9 => branch(output, code, at + 1),
            0x0f if code[at + 1] & 0xf0 == 0x80 => branch(output, code, at + 2),
            byte if is_64 && byte & 0xc7 == 0x05 && at > section.offset => operand(output, code, at),
            _ => None,
        };
        at = taken.unwrap_or(at + 1);
    }
}

/// A distance at `at` from behind it to code. Returns what is behind it.
fn branch(output: &mut Output<'_>, code: &[u8], at: usize) -> Option<usize> {
    let distance = code.get(at..)?.first_chunk().map(|chunk| i32::from_le_bytes(*chunk))?;
    let from = output.space.address(at as u64)?.wrapping_add(4);
    let to = from.wrapping_add_signed(i64::from(distance));
    if !output.space.has_code(to) {
        return None;
    }
    follow(output, at, to, 4);
    Some(at + 4)
}

/// The operand whose ModRM byte is at `at`.
fn operand(output: &mut Output<'_>, code: &[u8], at: usize) -> Option<usize> {
    let immediate = immediate(code, at)?;
    let distance = code.get(at + 1..)?.first_chunk().map(|chunk| i32::from_le_bytes(*chunk))?;
    let from = output.space.address(at as u64 + 1)?.wrapping_add(4 + immediate);
    let to = from.wrapping_add_signed(i64::from(distance));
    if !output.space.has(to) {
        return None;
    }
    follow(output, at + 1, to, 4 + immediate);
    Some(at + 5)
}

/// Writes the distance at `at` to what was `to`, counted from `length` bytes behind `at`.
fn follow(output: &mut Output<'_>, at: usize, to: u64, length: u64) {
    let from = output.space.moved_offset(at as u64).map(|from| from.wrapping_add(length));
    if let (Some(from), Some(to)) = (from, output.space.moved(to)) {
        output.put_distance(at, to, from);
    }
}

/// The length of what follows the distance of the operand; `None` when no instruction has the ModRM byte at `at`.
fn immediate(code: &[u8], at: usize) -> Option<u64> {
    let before = |count: usize| at.checked_sub(count).map_or(0, |at| code[at]);
    let (opcode, extension) = (before(1), code[at] >> 3 & 7);
    // Maps of opcodes behind 0f, 0f 38, 0f 3a, and those that VEX names (2.3).
    let is_vex = before(3) == 0xc5 || before(4) == 0xc4;
    if before(2) == 0x0f || is_vex {
        return Some(u64::from(matches!(opcode, 0x70 | 0xa4 | 0xac | 0xba | 0xc2 | 0xc4 | 0xc5 | 0xc6)));
    }
    if before(3) == 0x0f && matches!(before(2), 0x38 | 0x3a) {
        return Some(u64::from(before(2) == 0x3a));
    }
    if ONE_BYTE[usize::from(opcode >> 6)] >> (opcode & 63) & 1 == 0 {
        return None;
    }
    let is_short = before(2) == 0x66 || (before(2) & 0xf0 == 0x40 && before(3) == 0x66);
    let wide = if is_short { 2 } else { 4 };
    Some(match opcode {
        0x80 | 0x83 | 0xc0 | 0xc1 | 0x6b | 0xc6 => 1,
        0x81 | 0x69 | 0xc7 => wide,
        0xf6 if extension < 2 => 1,
        0xf7 if extension < 2 => wide,
        _ => 0,
    })
}

/// The addresses outside of code that a LEA takes, ascending: where jump tables start.
pub(super) fn table_starts(elf: &Elf<'_>, space: &Space<'_>) -> Vec<u64> {
    let mut starts = Vec::new();
    for section in elf.sections.iter().filter(|section| section.is_code && section.size > 0) {
        let code = &elf.bytes[section.offset..section.end()];
        for (at, bytes) in code.windows(7).enumerate() {
            if let [prefix, 0x8d, operand, rest @ ..] = bytes
                && prefix & 0xf8 == 0x48
                && operand & 0xc7 == 0x05
                && let Some(distance) = number(rest, 0)
            {
                let behind = section.address.wrapping_add(at as u64 + 7);
                let address = behind.wrapping_add_signed(i64::from(distance.cast_signed()));
                if space.offset(address).is_some() && !space.has_code(address) {
                    starts.push(address);
                }
            }
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}
