//! Tables of Go programs, from Go 1.20 on (`runtime/symtab.go`, `internal/abi/type.go`): offsets of 32 bits that count from the
//! start of the code, of a table or of the types. No relocation names them.
//!
//! `.gopclntab` has a header, then tables of which the last has a row for each function and what describes the functions.
//! Where the types start stands in the module's data, which is found by its first two words.

use super::elf::{Elf, Section, number, word_at};
use super::output::Output;
use super::space::Space;

/// The first bytes of the table of functions.
const MAGIC: u32 = 0xffff_fff1;

/// Words of the header, behind 8 bytes.
const FUNCTION_COUNT: usize = 0;
const CODE: usize = 2;
const NAMES: usize = 3;
const PROGRAM_COUNTERS: usize = 6;
const FUNCTIONS: usize = 7;

/// Words of the module's data.
const TYPES: usize = 37;
const TYPES_END: usize = 38;
const FUNCTION_DATA: usize = 40;

/// More tables than a function has; others are none.
const TABLES: u32 = 16;

/// Predicts the tables of a Go program; nothing in others.
pub(super) fn predict(output: &mut Output<'_>, elf: &Elf<'_>) {
    let is_table = |section: &&Section<'_>| section.name.ends_with(b".gopclntab") && section.size > 72;
    let Some(table) = elf.sections.iter().find(is_table) else { return };
    if elf.word != 8 || number(elf.bytes, table.offset) != Some(MAGIC) {
        return;
    }
    let module = module(elf, table);
    functions(output, table, module);
    let types = module.and_then(|module| start(output.space, word_at(elf.bytes, module + 8 * TYPES, 8)?));
    let (Some(types), Some(module)) = (types, module) else { return };
    for links in elf.sections.iter().filter(|section| section.name.ends_with(b".typelink")) {
        (0..links.size / 4).for_each(|row| follow(output, links.offset + 4 * row, types));
    }
    let code = word_at(elf.bytes, table.offset + 8 + 8 * CODE, 8).and_then(|code| start(output.space, code));
    let end = word_at(elf.bytes, module + 8 * TYPES_END, 8).unwrap_or(0);
    if let Some(code) = code {
        self::types(output, [types, code], end);
    }
}

/// What offsets count from: its address in the base, and in the target.
#[derive(Clone, Copy)]
struct Start {
    base: u64,
    target: u64,
}

fn start(space: &Space<'_>, base: u64) -> Option<Start> {
    Some(Start { base, target: space.moved(base)? })
}

/// An offset; 0 and -1 stand for none.
fn follow(output: &mut Output<'_>, at: usize, start: Start) {
    if !matches!(number(output.base, at), None | Some(0 | u32::MAX)) {
        output.distance(at, start.base, start.target);
    }
}

/// Where the module's data stands: it starts with the addresses of the table and of its names.
fn module(elf: &Elf<'_>, table: &Section<'_>) -> Option<usize> {
    let names = table.address.wrapping_add(word_at(elf.bytes, table.offset + 8 + 8 * NAMES, 8)?);
    let is_module =
        |at: &usize| word_at(elf.bytes, *at, 8) == Some(table.address) && word_at(elf.bytes, at + 8, 8) == Some(names);
    let written = elf.sections.iter().filter(|section| section.is_written && section.is_loaded);
    written.flat_map(|section| (section.offset..section.end()).step_by(8)).find(is_module)
}

/// The rows (where a function starts, where its description is) and the descriptions.
fn functions(output: &mut Output<'_>, table: &Section<'_>, module: Option<usize>) {
    let word = |number: usize| word_at(output.base, table.offset + 8 + 8 * number, 8).unwrap_or(0);
    let of_table = |number: usize| start(output.space, table.address.wrapping_add(word(number)));
    let data = module.and_then(|module| word_at(output.base, module + 8 * FUNCTION_DATA, 8));
    let data = data.and_then(|data| start(output.space, data));
    let (Some(code), Some(names), Some(counters), Some(rows)) =
        (start(output.space, word(CODE)), of_table(NAMES), of_table(PROGRAM_COUNTERS), of_table(FUNCTIONS))
    else {
        return;
    };
    let Some(first) = rows.base.checked_sub(table.address).and_then(|first| usize::try_from(first).ok()) else {
        return;
    };
    let Some(space_left) = table.size.checked_sub(first) else { return };
    let count = usize::try_from(word(FUNCTION_COUNT)).unwrap_or(usize::MAX).min(space_left / 8);
    for row in (0..count).map(|row| table.offset + first + 8 * row) {
        follow(output, row, code);
        follow(output, row + 4, rows);
        let described = number(output.base, row + 4).map_or(usize::MAX, |offset| offset as usize);
        if described < space_left.saturating_sub(44) {
            let at = table.offset + first + described;
            function(output, at, [code, names, counters], data);
        }
    }
}

/// What describes a function (`_func`).
fn function(output: &mut Output<'_>, at: usize, [code, names, counters]: [Start; 3], data: Option<Start>) {
    follow(output, at, code);
    follow(output, at + 4, names);
    [16, 20, 24].into_iter().for_each(|field| follow(output, at + field, counters));
    let tables = number(output.base, at + 28).unwrap_or(0);
    let own = u32::from(output.base.get(at + 43).copied().unwrap_or(0));
    if tables > TABLES || own > TABLES {
        return;
    }
    let end = at + 44 + 4 * tables as usize;
    (at + 44..end).step_by(4).for_each(|field| follow(output, field, counters));
    if let Some(data) = data {
        (end..end + 4 * own as usize).step_by(4).for_each(|field| follow(output, field, data));
    }
}

/// The types from the first start to the address `end`, told by what they must look like.
fn types(output: &mut Output<'_>, [types, code]: [Start; 2], end: u64) {
    let (Some(first), Some(last)) = (output.space.offset(types.base), output.space.offset(end.wrapping_sub(1))) else {
        return;
    };
    let (Ok(mut at), Ok(last)) = (usize::try_from(first), usize::try_from(last)) else { return };
    let last = last.min(output.base.len());
    while at < last {
        at = one_type(output, at, types, code).unwrap_or(at + 8);
    }
}

/// The type at `at` (`abi.Type`), its name, the pointer to it, and its methods. Returns what is behind them.
fn one_type(output: &mut Output<'_>, at: usize, types: Start, code: Start) -> Option<usize> {
    let [flags, align, field_align, kind] = output.base.get(at + 20..)?.first_chunk().copied()?;
    let [size, pointers, equal, bits] = [0, 8, 24, 32].map(|field| word_at(output.base, at + field, 8).unwrap_or(0));
    let is_alignment = |align: u8| align.is_power_of_two() && align <= 8;
    let is_type = is_alignment(align)
        && is_alignment(field_align)
        && (1..=26).contains(&(kind & 31))
        && pointers <= size
        && (equal == 0 || output.space.has(equal))
        && output.space.has(bits);
    if !is_type {
        return None;
    }
    follow(output, at + 40, types);
    follow(output, at + 44, types);
    let behind = at + own_size(kind & 31);
    if flags & 1 == 0 {
        return Some(at + 48);
    }
    follow(output, behind, types);
    let count = usize::from(u16::from_le_bytes(output.base.get(behind + 4..)?.first_chunk().copied()?));
    let methods = behind.checked_add(number(output.base, behind + 8)? as usize)?;
    let end = methods.checked_add(16 * count).filter(|end| *end <= output.base.len())?;
    for method in (methods..end).step_by(16) {
        follow(output, method, types);
        follow(output, method + 4, types);
        follow(output, method + 8, code);
        follow(output, method + 12, code);
    }
    Some(end.max(at + 48))
}

/// How long a type of a kind is before what it has when it is named (`abi.UncommonType`).
const fn own_size(kind: u8) -> usize {
    match kind {
        17 => 72,
        18 => 64,
        19 | 22 | 23 => 56,
        20 | 25 => 80,
        21 => 88,
        _ => 48,
    }
}
