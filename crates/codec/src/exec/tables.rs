//! Tables of an ELF file: headers, symbols, relocations, pointers, jump tables.

use super::elf::{Elf, Section, number, word_at};
use super::output::Output;
use super::space::Layout;

const LOAD: u32 = 1;

/// The file's own headers. The rows of loaded parts are those of the target.
pub(super) fn headers(output: &mut Output<'_>, elf: &Elf<'_>, target: &Layout) {
    let word = elf.word;
    output.address(24, word);
    if let Some(offset) = word_at(output.base, elf.field(32, 40), word) {
        output.put_word(elf.field(32, 40), output.space.moves.target(offset), word);
    }
    let mut loaded = target.segments.iter();
    for row in elf.program_headers.rows() {
        let [offset, address, physical] = [(4, 8), (8, 16), (12, 24)].map(|(a, b)| row + elf.field(a, b));
        let [file_size, memory_size] = [(16, 32), (20, 40)].map(|(a, b)| row + elf.field(a, b));
        if number(output.base, row) == Some(LOAD) {
            if let Some(segment) = loaded.next() {
                output.put_word(offset, segment.offset, word);
                output.put_word(address, segment.address, word);
                output.put_word(physical, segment.address, word);
                output.put_word(file_size, segment.file_size, word);
                output.put_word(memory_size, segment.memory_size, word);
            }
            continue;
        }
        output.address(address, word);
        output.address(physical, word);
        if let Some(size) = span(output, offset, file_size, word) {
            output.put_word(memory_size, size, word);
        }
    }
    for (row, section) in elf.section_headers.rows().zip(&elf.sections) {
        if section.is_loaded {
            output.address(row + elf.field(12, 16), word);
        }
        if section.size > 0 {
            span(output, row + elf.field(16, 24), row + elf.field(20, 32), word);
        }
    }
}

/// An offset in the file and a size behind it; the size of the target when there is one.
fn span(output: &mut Output<'_>, offset_at: usize, size_at: usize, word: usize) -> Option<u64> {
    let offset = word_at(output.base, offset_at, word)?;
    let size = word_at(output.base, size_at, word).filter(|size| *size > 0)?;
    let moved = output.space.moves.target(offset);
    let end = output.space.moves.target(offset.checked_add(size)?.checked_sub(1)?).wrapping_add(1);
    output.put_word(offset_at, moved, word);
    let moved_size = end.checked_sub(moved).unwrap_or(size);
    output.put_word(size_at, moved_size, word);
    Some(moved_size)
}

/// Symbols: their names move in the table of strings, their values are addresses.
pub(super) fn symbols(output: &mut Output<'_>, elf: &Elf<'_>, section: &Section<'_>) {
    let row = elf.field(16, 24);
    let strings = elf.sections.get(section.link).filter(|strings| strings.size > 0);
    for at in rows(section, row) {
        if let Some(strings) = strings {
            string(output, at, strings);
        }
        let undefined = elf.bytes.get(at + elf.field(14, 6)..at + elf.field(16, 8)) == Some(&[0, 0]);
        let value_at = at + elf.field(4, 8);
        if undefined {
            continue;
        }
        output.address(value_at, elf.word);
        size(output, value_at, at + elf.field(8, 16), elf.word);
    }
}

/// The size of what starts at the address in the word at `value_at`.
fn size(output: &mut Output<'_>, value_at: usize, size_at: usize, word: usize) {
    let [value, size] = [value_at, size_at].map(|at| word_at(output.base, at, word).unwrap_or(0));
    if size > 0
        && output.space.offset(value).is_some()
        && let (Some(start), Some(end)) = (output.space.moved(value), output.space.moved_end(value.wrapping_add(size)))
        && let Some(moved) = end.checked_sub(start)
    {
        output.put_word(size_at, moved, word);
    }
}

/// The offset of a string in its section.
fn string(output: &mut Output<'_>, at: usize, strings: &Section<'_>) {
    let Some(name) = number(output.base, at).filter(|name| (*name as usize) < strings.size) else { return };
    let [start, place] = [0, u64::from(name)].map(|within| output.space.moves.target(strings.offset as u64 + within));
    output.put_distance(at, place, start);
}

/// Relocations with (24 or 12 bytes) or without (16 or 8 bytes) an addend: where they are, which symbol, and the addend.
pub(super) fn relocations(output: &mut Output<'_>, elf: &Elf<'_>, section: &Section<'_>, has_addend: bool) {
    let word = elf.word;
    let symbols = elf.sections.get(section.link).filter(|symbols| symbols.size > 0);
    for at in rows(section, if has_addend { 3 * word } else { 2 * word }) {
        let place = word_at(output.base, at, word);
        output.address(at, word);
        let symbol = word_at(output.base, at + word, word).map(|info| if word == 8 { info >> 32 } else { info >> 8 });
        let symbol = symbol.unwrap_or(0);
        if let Some(symbols) = symbols.filter(|_| symbol > 0) {
            symbol_number(output, at + word, symbol, symbols, word);
        }
        if symbol > 0 {
            continue;
        }
        if has_addend {
            output.address(at + 2 * word, word);
        }
        // Some linkers write the address to its place, too.
        if let Some(place) = place.and_then(|place| output.space.offset(place))
            && let Ok(place) = usize::try_from(place)
            && (!has_addend || word_at(output.base, place, word) == word_at(output.base, at + 2 * word, word))
        {
            output.address(place, word);
        }
    }
}

/// The number of a symbol, which changes when others come before it.
fn symbol_number(output: &mut Output<'_>, at: usize, symbol: u64, symbols: &Section<'_>, word: usize) {
    let row = if word == 8 { 24 } else { 16 };
    let Some(place) = symbol.checked_mul(row).filter(|place| *place < symbols.size as u64) else { return };
    let start = output.space.moves.target(symbols.offset as u64);
    let place = output.space.moves.target(symbols.offset as u64 + place);
    let Some(distance) = place.checked_sub(start).filter(|distance| distance.is_multiple_of(row)) else { return };
    let moved = distance / row;
    match word {
        8 => {
            if let Ok(moved) = u32::try_from(moved) {
                output.put_number(at + 4, moved);
            }
        }
        _ => {
            if let Some(info) = number(output.base, at)
                && moved < 1 << 24
            {
                output.put_word(at, moved << 8 | u64::from(info & 0xff), 4);
            }
        }
    }
}

/// Words that may be addresses.
pub(super) fn words(output: &mut Output<'_>, elf: &Elf<'_>, section: &Section<'_>) {
    for at in rows(section, elf.word) {
        output.address(at, elf.word);
    }
}

/// The dynamic section (`d_tag`, `d_un`): addresses only where the tag says so.
pub(super) fn dynamic(output: &mut Output<'_>, elf: &Elf<'_>, section: &Section<'_>) {
    for at in rows(section, 2 * elf.word) {
        let tag = word_at(output.base, at, elf.word).unwrap_or(0);
        if matches!(
            tag,
            3..=7 | 12 | 13 | 17 | 23 | 25 | 26 | 32 | 36 | 0x6fff_fef5 | 0x6fff_fff0 | 0x6fff_fffc | 0x6fff_fffe
        ) {
            output.address(at + elf.word, elf.word);
        }
    }
}

/// Addresses that need no more than the base's own (`SHT_RELR`): words, and bits for the words behind them.
pub(super) fn relative(output: &mut Output<'_>, elf: &Elf<'_>, section: &Section<'_>) {
    let word = elf.word;
    let mut next = 0_u64;
    for at in rows(section, word) {
        let Some(entry) = word_at(output.base, at, word) else { return };
        let mut place = |address: u64| {
            if let Some(offset) = output.space.offset(address).and_then(|offset| usize::try_from(offset).ok()) {
                output.address(offset, word);
            }
        };
        if entry & 1 == 0 {
            place(entry);
            next = entry.wrapping_add(word as u64);
            output.address(at, word);
        } else {
            let bits = 8 * word as u64 - 1;
            (0..bits)
                .filter(|bit| entry >> (bit + 1) & 1 == 1)
                .for_each(|bit| place(next.wrapping_add(bit * word as u64)));
            next = next.wrapping_add(bits * word as u64);
        }
    }
}

/// Jump tables of `rodata`: distances of 32 bits from the start of the table to code. A table starts where code takes an
/// address: those in `starts`, ascending.
pub(super) fn jump_tables(output: &mut Output<'_>, section: &Section<'_>, starts: &[u64]) {
    let end = section.address.wrapping_add(section.size as u64);
    let first = starts.partition_point(|start| *start < section.address);
    let inside = || starts[first..].iter().copied().take_while(|start| *start < end);
    for (start, next) in inside().zip(inside().skip(1).chain([end])) {
        let Some(moved_start) = output.space.moved(start) else { continue };
        let within = usize::try_from(start - section.address).unwrap_or(usize::MAX);
        let length = usize::try_from(next - start).unwrap_or(0);
        let Some(table) = section.offset.checked_add(within) else { continue };
        for at in (table..table.saturating_add(length).min(section.end()).saturating_sub(3)).step_by(4) {
            let distance = number(output.base, at).map_or(0, |distance| i64::from(distance.cast_signed()));
            if !output.space.has_code(start.wrapping_add_signed(distance)) {
                break;
            }
            output.distance(at, start, moved_start);
        }
    }
}

fn rows(section: &Section<'_>, row: usize) -> impl Iterator<Item = usize> + use<> {
    let (offset, count) = (section.offset, section.size / row);
    (0..count).map(move |number| offset + number * row)
}
