//! Words, symbols, relocations: FORMAT.md, section 10.3.

use super::*;

/// Words of a table, each beside what it becomes.
fn table(machine: u16, name: &'static str, kind: u32, flags: u64, words: impl Fn(u64) -> Vec<(u64, u64)>) {
    let word = if machine == I386 { 4 } else { 8 };
    let later = {
        let length = words(ADDRESS).len() * word;
        let program =
            Program { machine, address: ADDRESS, sections: vec![(name, kind, flags, vec![0; length], 0), data()] };
        address(&program.bytes(), ".later")
    };
    let pairs = words(later);
    let bytes = |pick: fn(&(u64, u64)) -> u64| -> Vec<u8> {
        pairs.iter().flat_map(|pair| pick(pair).to_le_bytes()[..word].to_vec()).collect()
    };
    let moved = Moved::of(machine, vec![(name, kind, flags, bytes(|pair| pair.0), 0)], data(), vec![]);
    assert_eq!(moved.address(".later"), later);
    assert!(moved.of_section(name) == bytes(|pair| pair.1), "{name} of {machine}: {:02x?}", moved.of_section(name));
}

/// Addresses around the bounds of what is loaded, and what becomes of each.
fn around(later: u64) -> Vec<(u64, u64)> {
    vec![
        (later - 1, later - 1),
        (later, later + SHIFT),
        (later + 200, later + 200 + SHIFT),
        (ADDRESS, ADDRESS),
        (ADDRESS - 1, ADDRESS - 1),
        (0, 0),
        (0x7fff_0000, 0x7fff_0000),
    ]
}

#[test]
fn words_of_tables_are_addresses() {
    for machine in [X86_64, AARCH64, I386] {
        table(machine, ".init_array", 14, 3, around);
        table(machine, ".fini_array", 15, 3, around);
        table(machine, ".got", 1, 3, around);
        table(machine, ".got.plt", 1, 3, around);
        // In others only where addresses are fixed when the program is linked, which these are not.
        table(machine, ".data", 1, 3, |later| around(later).into_iter().map(|(word, _)| (word, word)).collect());
        table(machine, ".got", 1, 1, |later| around(later).into_iter().map(|(word, _)| (word, word)).collect());
    }
}

#[test]
fn values_of_some_dynamic_tags_are_addresses() {
    let listed = [3, 4, 5, 6, 7, 12, 13, 17, 23, 25, 26, 32, 36, 0x6fff_fef5, 0x6fff_fff0, 0x6fff_fffc, 0x6fff_fffe];
    let tags = || (0..48).chain(0x6fff_fef0..0x6fff_ff00).chain(0x6fff_ffe8..0x7000_0000);
    for machine in [X86_64, I386] {
        table(machine, ".dynamic", 6, 3, |later| {
            let row = |tag: u64| [(tag, tag), (later, if listed.contains(&tag) { later + SHIFT } else { later })];
            tags().flat_map(row).collect()
        });
    }
}

#[test]
fn relative_relocations_give_the_places_of_addresses() {
    // An address of `.later`; the words at it and at those that the next entry's bits name are addresses.
    for machine in [X86_64, I386] {
        let word = if machine == I386 { 4_u64 } else { 8 };
        let size = usize::try_from(2 * word).unwrap();
        let program =
            Program { machine, address: ADDRESS, sections: vec![(".relr.dyn", 19, 2, vec![0; size], 0), data()] };
        let later = address(&program.bytes(), ".later");
        let entries = [later + word, 0b1011];
        let relocations = entries.iter().flat_map(|entry| entry.to_le_bytes()[..size / 2].to_vec()).collect();
        let words = |moved: &dyn Fn(u64) -> bool| -> Vec<u8> {
            let value = |place| if moved(place) { later + SHIFT } else { later };
            (0..256 / word).flat_map(|place| value(place).to_le_bytes()[..size / 2].to_vec()).collect()
        };
        let rows = vec![(".relr.dyn", 19, 2, relocations, 0)];
        let moved = Moved::of(machine, rows, (".later", 1, 3, words(&|_| false), 0), vec![]);
        assert!(moved.of_section(".later") == words(&|place| matches!(place, 1 | 2 | 4)), "{machine}");
        let expected = [later + word + SHIFT, 0b1011];
        let expected: Vec<u8> = expected.iter().flat_map(|entry| entry.to_le_bytes()[..size / 2].to_vec()).collect();
        assert_eq!(moved.of_section(".relr.dyn"), expected);
    }
}

/// A symbol: name, value, size, the number of its section.
fn symbol(machine: u16, name: u32, value: u64, size: u64, section: u16) -> Vec<u8> {
    let short = |value: u64| u32::try_from(value).unwrap().to_le_bytes().to_vec();
    let wide = |value: u64| value.to_le_bytes().to_vec();
    let (name, section) = (name.to_le_bytes().to_vec(), section.to_le_bytes().to_vec());
    match machine {
        I386 => [name, short(value), short(size), vec![0x12, 0], section].concat(),
        _ => [name, vec![0x12, 0], section, wide(value), wide(size)].concat(),
    }
}

#[test]
fn symbols_move_with_their_values_sizes_and_names() {
    for machine in [X86_64, I386] {
        for kind in [2, 11] {
            let rows = |later: u64| {
                let s = SHIFT;
                // Each as it is and as it becomes. `.later`, number 3, is the section with the names.
                [
                    [(0, later + 16, 8, 1), (0, later + 16 + s, 8, 1)],
                    [(0, later - 1, 1, 1), (0, later - 1, 1, 1)],
                    // From before what grew to behind it.
                    [(0, later - 8, 24, 1), (0, later - 8, 24 + s, 1)],
                    [(0, later - 8, 8, 1), (0, later - 8, 8, 1)],
                    // Without a size, or in no section of this file.
                    [(0, later, 0, 1), (0, later + s, 0, 1)],
                    [(0, later + 16, 8, 0), (0, later + 16, 8, 0)],
                    // In memory that is not in the file: it moves with .bss, of which there is none.
                    [(0, 0x90_0000, 8, 1), (0, 0x90_0000, 8, 1)],
                    // Names: all of `.later` moves, so that they stay; one that is outside of it does too.
                    [(100, 0, 0, 1), (100, 0, 0, 1)],
                    [(256, 0, 0, 1), (256, 0, 0, 1)],
                ]
            };
            let bytes = |later, place: usize| -> Vec<u8> {
                rows(later)
                    .iter()
                    .map(|pair| pair[place])
                    .flat_map(|(name, value, size, section)| symbol(machine, name, value, size, section))
                    .collect()
            };
            let section = |bytes| vec![(".dynsym", kind, 2, bytes, 2)];
            let later = Moved::of(machine, section(bytes(0x1_0100, 0)), data(), vec![]).address(".later");
            let moved = Moved::of(machine, section(bytes(later, 0)), data(), vec![]);
            assert!(
                moved.of_section(".dynsym") == bytes(later, 1),
                "{machine} {kind}: {:02x?}",
                moved.of_section(".dynsym")
            );
        }
    }
}

#[test]
fn the_names_of_symbols_move_with_their_strings() {
    for machine in [X86_64, I386] {
        let names = |places: &[u32]| -> Vec<u8> {
            places.iter().flat_map(|name| symbol(machine, *name, 0, 0, 0)).collect::<Vec<_>>()
        };
        // The strings, section 2, start before what grew and end behind it, as their header says once it is changed.
        let sections =
            vec![(".dynsym", 11, 2, names(&[0, 5, 15, 16, 20, 40]), 2), (".dynstr", 3, 2, vec![b'x'; 16], 0), data()];
        let mut base = Program { machine, address: ADDRESS, sections }.bytes();
        let (word, table_at, row, size_at) = if machine == I386 { (4, 32, 40, 20) } else { (8, 40, 64, 32) };
        let table = base[table_at..table_at + word].iter().rev().fold(0, |table, byte| table << 8 | usize::from(*byte));
        base[table + 2 * row + size_at..][..word].copy_from_slice(&40_u64.to_le_bytes()[..word]);
        let split = place(&base, ".later").start as u64;
        let start = place(&base, ".dynstr").start as u64;
        assert_eq!(split - start, 16);
        let matches = [
            Match { target: 0, base: 0, length: split },
            Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
        ];
        let predicted = predict(base.clone(), &matches, &HINT);
        let shift = u32::try_from(SHIFT).unwrap();
        assert_eq!(predicted[place(&base, ".dynsym")], names(&[0, 5, 15, 16 + shift, 20 + shift, 40]), "{machine}");
    }
}

#[test]
fn relocations_move_by_place_symbol_and_addend() {
    for machine in [X86_64, I386] {
        let word = if machine == I386 { 4 } else { 8 };
        let cut = |value: u64| value.to_le_bytes()[..word].to_vec();
        let info = |symbol: u64| if machine == I386 { symbol << 8 | 7 } else { symbol << 32 | 7 };
        for (kind, has_addend) in [(4, true), (9, false)] {
            let row = |place: u64, symbol: u64, addend: u64| {
                [cut(place), cut(info(symbol)), if has_addend { cut(addend) } else { vec![] }].concat()
            };
            // What stands at places in `.later`: an address of it, and one of what does not move.
            let words = |later: u64, moved: bool| -> Vec<u8> {
                let shift = if moved { SHIFT } else { 0 };
                let at_places = [later + 16, ADDRESS, later + 24, later + 32].map(cut).concat();
                let is_followed = [cut(later + 16 + shift), cut(ADDRESS)].concat();
                // Without an addend the word at any place is one; with it, where both are the same.
                let third = if has_addend { later + 24 } else { later + 24 + shift };
                let mut bytes = if moved { [is_followed, cut(third), cut(later + 32)].concat() } else { at_places };
                bytes.resize(256, 0);
                bytes
            };
            let step = word as u64;
            let rows = |later: u64, shift: u64| -> Vec<u8> {
                [
                    row(later + shift, 0, later + 16 + shift),
                    row(later + step + shift, 0, ADDRESS),
                    row(later + 2 * step + shift, 0, later + 25 + shift),
                    // With a symbol neither the addend nor the word is an address.
                    row(later + 3 * step + shift, 1, later + 32),
                    row(ADDRESS, 0, later + 7 + shift),
                ]
                .concat()
            };
            let section = |bytes| vec![(".rel.dyn", kind, 2, bytes, 0)];
            let later = Moved::of(machine, section(rows(0x1_0200, 0)), data(), vec![]).address(".later");
            let with_words = (".later", 1, 3, words(later, false), 0);
            let moved = Moved::of(machine, section(rows(later, 0)), with_words, vec![]);
            assert!(moved.of_section(".rel.dyn") == rows(later, SHIFT), "{machine} {kind}");
            assert!(
                moved.of_section(".later") == words(later, true),
                "{machine} {kind}: {:02x?}",
                moved.of_section(".later")
            );
        }
    }
}

#[test]
fn the_number_of_a_symbol_grows_when_others_come_before_it() {
    for machine in [X86_64, I386] {
        let (word, row) = if machine == I386 { (4, 16_usize) } else { (8, 24) };
        let info = |symbol: u64| if machine == I386 { symbol << 8 | 7 } else { symbol << 32 | 7 };
        let relocations = |symbols: &[u64]| -> Vec<u8> {
            let rows = symbols.iter().flat_map(|symbol| [0, info(*symbol)]);
            rows.flat_map(|value| value.to_le_bytes()[..word].to_vec()).collect()
        };
        for (inserted, grows) in [(2, 2), (0, 0)] {
            let sections =
                vec![(".rel.dyn", 9, 2, relocations(&[1, 3, 4, 9, 10]), 2), (".dynsym", 11, 2, vec![0; row * 10], 0)];
            let base = Program { machine, address: ADDRESS, sections }.bytes();
            // From symbol 4 on all is as many rows further on.
            let split = (place(&base, ".dynsym").start + 4 * row) as u64;
            let matches = [
                Match { target: 0, base: 0, length: split },
                Match { target: split + (inserted * row) as u64, base: split, length: base.len() as u64 - split },
            ];
            let predicted = predict(base.clone(), &matches, &HINT);
            // The tenth is behind the table.
            let expected = relocations(&[1, 3, 4 + grows, 9 + grows, 10]);
            assert_eq!(predicted[place(&base, ".rel.dyn")], expected, "{machine} {inserted}");
        }
        // What moves by a part of a row leads to no symbol.
        let sections = vec![(".rel.dyn", 9, 2, relocations(&[1, 5]), 2), (".dynsym", 11, 2, vec![0; row * 10], 0)];
        let base = Program { machine, address: ADDRESS, sections }.bytes();
        let split = (place(&base, ".dynsym").start + 4 * row) as u64;
        let matches = [
            Match { target: 0, base: 0, length: split },
            Match { target: split + 4, base: split, length: base.len() as u64 - split },
        ];
        assert_eq!(predict(base.clone(), &matches, &HINT)[place(&base, ".rel.dyn")], relocations(&[1, 5]));
    }
}

#[test]
fn bits_of_relative_relocations_go_on_behind_those_before() {
    for machine in [X86_64, I386] {
        let (word, bits) = if machine == I386 { (4_u64, 31) } else { (8, 63) };
        let cut = |value: u64| value.to_le_bytes()[..usize::try_from(word).unwrap()].to_vec();
        // The word at an address; of those behind it the first and the last of each entry; then again from another address.
        let last = 1 << bits;
        let entries = |later: u64, shift: u64| {
            let again = later + shift + 200 * word;
            [later + shift, 0b11 | last, 0b11 | last, 0b101, again, 0b11].map(cut).concat()
        };
        let places = [0, 1, bits, bits + 1, 2 * bits, 2 * bits + 2, 200, 201];
        let rows = |bytes: Vec<u8>| vec![(".relr.dyn", 19, 2, bytes, 0)];
        let words = |later: u64, shift: u64| -> Vec<u8> {
            (0..256).flat_map(|place| cut(later + if places.contains(&place) { shift } else { 0 })).collect()
        };
        let with = |bytes: Vec<u8>, words: Vec<u8>| Moved::of(machine, rows(bytes), (".later", 1, 3, words, 0), vec![]);
        let later = with(entries(ADDRESS, 0), words(ADDRESS, 0)).address(".later");
        let moved = with(entries(later, 0), words(later, 0));
        assert_eq!(moved.of_section(".relr.dyn"), entries(later, SHIFT), "{machine}");
        assert!(moved.of_section(".later") == words(later, SHIFT), "{machine}");
    }
}
