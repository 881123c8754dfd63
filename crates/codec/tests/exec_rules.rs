//! Each rule of FORMAT.md, section 10, by the smallest program that shows it: what moves, by how much, and what stays.
//!
//! In all of them what stands before a section called `.later` stays where it is, and from there on all moves by [`SHIFT`].

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use common::programs::{AARCH64, I386, Program, X86_64};
use delta_codec::align::Match;
use delta_codec::exec::{describe, predict, sections};

/// Where programs are loaded.
const ADDRESS: u64 = 0x1_0000;

const SHIFT: u64 = 64;

/// One loaded part, longer by [`SHIFT`] in the file and in memory; no `.bss`.
const HINT: [u8; 8] = [1, 0, 0, 0x81, 0, 0x81, 0, 0];

/// A section: name, type, flags, bytes, and the number of the section that it refers to.
type Row = (&'static str, u32, u64, Vec<u8>, u32);

/// What is not in `.later` comes before it.
struct Moved {
    base: Vec<u8>,
    predicted: Vec<u8>,
}

impl Moved {
    fn of(machine: u16, before: Vec<Row>, later: Row, behind: Vec<Row>) -> Self {
        let sections =
            before.into_iter().chain([(".later", later.1, later.2, later.3, later.4)]).chain(behind).collect();
        let base = Program { machine, address: ADDRESS, sections }.bytes();
        let split = place(&base, ".later").start as u64;
        let matches = [
            Match { target: 0, base: 0, length: split },
            Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
        ];
        Self { predicted: predict(base.clone(), &matches, &HINT), base }
    }

    /// The predicted bytes of a section.
    fn of_section(&self, name: &str) -> &[u8] {
        &self.predicted[place(&self.base, name)]
    }

    /// The address of a section in the base.
    fn address(&self, name: &str) -> u64 {
        address(&self.base, name)
    }
}

fn place(program: &[u8], name: &str) -> std::ops::Range<usize> {
    sections(program).into_iter().find(|(found, _)| found == name).unwrap().1
}

fn address(program: &[u8], name: &str) -> u64 {
    ADDRESS + place(program, name).start as u64
}

/// `.later`, of 256 bytes that are no code.
fn data() -> Row {
    (".later", 1, 2, vec![0; 256], 0)
}

/// The addresses of `.text`, in which the bytes of a test stand, and of `.later` behind it, when the former has so many bytes.
fn addresses(machine: u16, length: usize) -> (u64, u64) {
    let program = Program { machine, address: ADDRESS, sections: vec![(".text", 1, 6, vec![0; length], 0), data()] };
    let bytes = program.bytes();
    (address(&bytes, ".text"), address(&bytes, ".later"))
}

/// The prediction of code before `.later`.
fn code(machine: u16, bytes: &[u8]) -> Vec<u8> {
    Moved::of(machine, vec![(".text", 1, 6, bytes.to_vec(), 0)], data(), vec![]).of_section(".text").to_vec()
}

/// The length of what follows the distance of an operand, as the list of section 10.4 says; `None` where the opcode is in no list.
fn immediate(before: &[u8], opcode: u8, register: u8) -> Option<u64> {
    if let [.., 0x0f] | [.., 0xc5, _] | [.., 0xc4, _, _] = before {
        return Some(u64::from([0x70, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6].contains(&opcode)));
    }
    if let [.., 0x0f, map @ (0x38 | 0x3a)] = before {
        return Some(u64::from(*map == 0x3a));
    }
    let arithmetic = (0..=0x3f).filter(|opcode| opcode & 7 < 4);
    let listed = [0x63, 0x69, 0x6b, 0xc0, 0xc1, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff];
    let ranges = (0x80..=0x8f).chain(0xd0..=0xd3).chain(0xd8..=0xdf);
    if !arithmetic.chain(listed).chain(ranges).any(|known| known == opcode) {
        return None;
    }
    let is_short = matches!(before, [.., 0x66] | [.., 0x66, 0x40..=0x4f]);
    Some(match (opcode, register) {
        (0x80 | 0x83 | 0xc0 | 0xc1 | 0x6b | 0xc6, _) | (0xf6, 0 | 1) => 1,
        (0x81 | 0x69 | 0xc7, _) | (0xf7, 0 | 1) => {
            if is_short {
                2
            } else {
                4
            }
        }
        _ => 0,
    })
}

/// Every opcode, behind each prefix that changes what it is, with an operand that is addressed from the instruction pointer.
#[test]
fn operands_of_x86_are_those_in_the_list() {
    const MIDDLE: usize = 24;
    let (start, later) = addresses(X86_64, 64);
    let prefixes: [&[u8]; 10] = [
        b"",
        b"\x48",
        b"\x66",
        b"\x66\x48",
        b"\x66\x4f",
        b"\x0f",
        b"\x0f\x38",
        b"\x0f\x3a",
        b"\xc5\xf8",
        b"\xc4\xe2\x79",
    ];
    for (prefix, opcode) in prefixes.into_iter().flat_map(|prefix| (0..=255).map(move |opcode| (prefix, opcode))) {
        // Calls and jumps have a test of their own, and an opcode that looks like a ModRM byte is one.
        if matches!(opcode, 0xe8 | 0xe9 | 0x80..=0x8f) && prefix == b"\x0f"
            || matches!(opcode, 0xe8 | 0xe9)
            || opcode & 0xc7 == 5
        {
            continue;
        }
        for register in [0, 1, 2, 7] {
            let expected = immediate(prefix, opcode, register);
            // Exactly the first byte that moves, and the last one that does not: a wrong length is one or the other.
            for (goal, moves) in [(later, true), (later - 1, false)] {
                let mut bytes = vec![0x90; 64];
                let at = MIDDLE + prefix.len();
                bytes[MIDDLE..at].copy_from_slice(prefix);
                (bytes[at], bytes[at + 1]) = (opcode, register << 3 | 5);
                let end = start + at as u64 + 6 + expected.unwrap_or(0);
                let distance = |to: u64| u32::try_from(to - end).unwrap().to_le_bytes();
                bytes[at + 2..at + 6].copy_from_slice(&distance(goal));
                let mut moved = bytes.clone();
                if expected.is_some() && moves {
                    moved[at + 2..at + 6].copy_from_slice(&distance(goal + SHIFT));
                }
                assert!(code(X86_64, &bytes) == moved, "{prefix:02x?} {opcode:02x} /{register} to {goal:#x}");
            }
        }
    }
}

#[test]
fn calls_and_jumps_of_x86_lead_to_code() {
    for machine in [X86_64, I386] {
        let (start, later) = addresses(machine, 64);
        for opcode in [&b"\xe8"[..], b"\xe9", b"\x0f\x80", b"\x0f\x84", b"\x0f\x8f"] {
            let mut bytes = vec![0x90; 64];
            let behind = 20 + opcode.len() + 4;
            bytes[20..20 + opcode.len()].copy_from_slice(opcode);
            let distance = |to: u64| u32::try_from(to - start - behind as u64).unwrap().to_le_bytes();
            bytes[behind - 4..behind].copy_from_slice(&distance(later + 9));
            let mut moved = bytes.clone();
            moved[behind - 4..behind].copy_from_slice(&distance(later + 9 + SHIFT));
            assert_eq!(code(machine, &bytes), moved, "{opcode:02x?} of {machine}");
            // Into what is loaded no more, and where four bytes are left.
            let mut outside = bytes.clone();
            outside[behind - 4..behind].copy_from_slice(&distance(0x90_0000));
            assert_eq!(code(machine, &outside), outside);
        }
        for opcode in [&b"\x0f\x7f"[..], b"\x0f\x90", b"\xe7", b"\xea"] {
            let mut bytes = vec![0x90; 64];
            let behind = 20 + opcode.len() + 4;
            bytes[20..20 + opcode.len()].copy_from_slice(opcode);
            let distance = u32::try_from(later + 9 - start - behind as u64).unwrap();
            bytes[behind - 4..behind].copy_from_slice(&distance.to_le_bytes());
            assert_eq!(code(machine, &bytes), bytes, "{opcode:02x?}");
        }
    }
    // 32-bit code has no operand that is addressed from the instruction pointer.
    let (start, later) = addresses(I386, 64);
    let mut bytes = vec![0x90; 64];
    bytes[20..22].copy_from_slice(b"\x8b\x05");
    bytes[22..26].copy_from_slice(&u32::try_from(later - start - 26).unwrap().to_le_bytes());
    assert_eq!(code(I386, &bytes), bytes);
}

#[test]
fn the_last_five_bytes_of_a_section_of_x86_are_looked_at() {
    for (length, moves) in [(24, false), (25, true), (26, true)] {
        let (start, later) = addresses(X86_64, length);
        let mut bytes = vec![0x90; length];
        let distance = |to: u64| u32::try_from(to - start - 25).unwrap().to_le_bytes();
        let call = [&[0xe8][..], &distance(later)].concat();
        let kept = call.len().min(length - 20);
        bytes[20..20 + kept].copy_from_slice(&call[..kept]);
        let mut moved = bytes.clone();
        if moves {
            moved[21..25].copy_from_slice(&distance(later + SHIFT));
        }
        assert_eq!(code(X86_64, &bytes), moved, "{length}");
    }
}

/// An instruction of AArch64 at offset 16 of its section, with others around it, as it is predicted.
fn instruction(word: u32) -> u32 {
    let mut bytes = 0xd503_201f_u32.to_le_bytes().repeat(16);
    bytes[16..20].copy_from_slice(&word.to_le_bytes());
    let moved = code(AARCH64, &bytes);
    assert_eq!((&moved[..16], &moved[20..]), (&bytes[..16], &bytes[20..]));
    u32::from_le_bytes(*moved[16..].first_chunk().unwrap())
}

#[test]
fn branches_of_aarch64_have_their_distance_in_26_19_or_14_bits() {
    let (start, later) = addresses(AARCH64, 64);
    let distance = u32::try_from((later - start - 16) / 4).unwrap();
    let moved = distance + u32::try_from(SHIFT / 4).unwrap();
    let wide = (0x14..=0x17_u32).chain(0x94..=0x97);
    let middle = [0x54, 0x34, 0x35, 0xb4, 0xb5, 0x18, 0x58, 0x98, 0x1c, 0x5c, 0x9c];
    let known: Vec<(u32, u32, u32)> = wide
        .map(|top| (top, 0, 0))
        .chain(middle.into_iter().map(|top| (top, 5, 0x1f)))
        .chain([0x36, 0x37, 0xb6, 0xb7].into_iter().map(|top| (top, 5, 0xf8_001f)))
        .collect();
    for top in 0..=255 {
        match known.iter().find(|(known, ..)| *known == top) {
            Some((_, low, others)) if !(0x15..=0x17).contains(&top) && !(0x95..=0x97).contains(&top) => {
                let word = top << 24 | distance << low | others;
                assert_eq!(instruction(word), top << 24 | moved << low | others, "{word:#010x}");
            }
            // The highest two bits of these are a part of a distance that leads far away.
            Some(_) => assert_eq!(instruction(top << 24 | distance), top << 24 | distance),
            None if top & 0x1f == 0x10 => {}
            None => assert_eq!(instruction(top << 24 | distance << 5), top << 24 | distance << 5, "{top:#04x}"),
        }
    }
    // One instruction back, where nothing moves: the highest bit of the distance is its sign.
    for back in [0x97ff_ffff, 0x54ff_ffe1, 0x3607_ffe1] {
        assert_eq!(instruction(back), back);
    }
}

#[test]
fn a_branch_back_over_what_grew_becomes_longer() {
    let nothing = 0xd503_201f_u32.to_le_bytes().repeat(8);
    let branch = |distance: u32| (0x9400_0000 | distance & 0x3ff_ffff).to_le_bytes();
    let before = vec![(".text", 1, 6, nothing.clone(), 0)];
    let start = Moved::of(AARCH64, before.clone(), (".later", 1, 6, nothing.clone(), 0), vec![]);
    let back = u32::try_from((start.address(".later") - start.address(".text")) / 4).unwrap();
    let bytes = [&branch(back.wrapping_neg())[..], &nothing[4..]].concat();
    let moved = Moved::of(AARCH64, before, (".later", 1, 6, bytes, 0), vec![]);
    let longer = back + u32::try_from(SHIFT / 4).unwrap();
    assert_eq!(moved.of_section(".later"), [&branch(longer.wrapping_neg())[..], &nothing[4..]].concat());
}

#[test]
fn an_address_near_an_instruction_of_aarch64_has_21_bits() {
    let (start, later) = addresses(AARCH64, 64);
    for offset in 0..5 {
        let adr = |distance: u64| {
            let distance = u32::try_from(distance).unwrap();
            0x1000_0007 | (distance & 3) << 29 | (distance >> 2) << 5
        };
        let distance = later + offset - start - 16;
        assert_eq!(instruction(adr(distance)), adr(distance + SHIFT), "{offset}");
        assert_eq!(instruction(adr(distance) | 0x0080_0000), adr(distance) | 0x0080_0000, "far before the program");
    }
}

/// The instructions at the start of a section, as they are predicted.
fn instructions(words: &[u32]) -> Vec<u32> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    code(AARCH64, &bytes).as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

#[test]
fn a_page_of_aarch64_has_its_offset_in_later_instructions() {
    const PAGE: u32 = 0x9000_0003;
    const NOTHING: u32 = 0xd503_201f;
    let (_, later) = addresses(AARCH64, 4 * 30);
    // All is in the first page of the program, so that the distance in pages is 0 and stays so.
    let within = u32::try_from(later & 0xfff).unwrap().next_multiple_of(16);
    let shift = u32::try_from(SHIFT).unwrap();
    for (word, scale) in [
        (0x9100_0063_u32, 0), // ADD
        (0x3900_0061, 0),     // STRB
        (0x3940_0061, 0),     // LDRB
        (0x7940_0061, 1),     // LDRH
        (0xb940_0061, 2),     // LDR of 32 bits
        (0xf940_0061, 3),     // LDR of 64 bits
        (0x3dc0_0061, 4),     // LDR of 128 bits
        (0x3d40_0061, 0),     // LDR of a vector's 8 bits
    ] {
        let with = |offset: u32| word | (offset >> scale) << 10;
        let mut all = vec![NOTHING; 30];
        (all[0], all[2]) = (PAGE, with(within));
        let mut moved = all.clone();
        moved[2] = with(within + shift);
        assert_eq!(instructions(&all), moved, "{word:#010x}");
    }
    let with = |offset: u32| 0x9100_0063 | offset << 10;
    for (at, other, moves) in [
        // As far as 24 instructions behind it, and no further.
        (24, NOTHING, true),
        (25, NOTHING, false),
        // Behind another page of the same register; that one has it.
        (2, 0x9000_0004, true),
        // Another register, a shift of the offset, and what is neither an ADD nor a load.
        (2, 0x9100_0083, true),
    ] {
        let mut all = vec![NOTHING; 30];
        (all[0], all[1], all[at]) = (PAGE, other, with(within));
        let mut moved = all.clone();
        if moves {
            moved[at] = with(within + shift);
        }
        assert_eq!(instructions(&all), moved, "{at} {other:#010x}");
    }
    for word in [0x9100_0083_u32, 0x9140_0063, 0xd100_0063, 0xb100_0063, 0xa940_0061] {
        let mut all = vec![NOTHING; 30];
        (all[0], all[1]) = (PAGE, word | within << 10);
        assert_eq!(instructions(&all), all, "{word:#010x}");
    }
}

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

/// Numbers of 32 bits.
fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
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
fn the_header_of_frames_has_distances_from_its_start() {
    let header = |encodings: [u8; 4], here: u64, there: u64| {
        // The frames from where that stands; a count; a function and its frame, from the start of the section.
        let rows = [distance(there, here + 4), 1, distance(there + 8, here), distance(there + 100, here)];
        [&encodings[..], &numbers(&rows)].concat()
    };
    const KNOWN: [u8; 4] = [1, 0x1b, 3, 0x3b];
    let section = |bytes| vec![(".eh_frame_hdr", 1, 2, bytes, 0)];
    let first = Moved::of(X86_64, section(vec![0; 20]), data(), vec![]);
    let (here, later) = (first.address(".eh_frame_hdr"), first.address(".later"));
    let moved = Moved::of(X86_64, section(header(KNOWN, here, later)), data(), vec![]);
    assert_eq!(moved.of_section(".eh_frame_hdr"), header(KNOWN, here, later + SHIFT));
    for at in 0..4 {
        let mut other = KNOWN;
        other[at] ^= 0x10;
        let bytes = header(other, here, later);
        assert_eq!(Moved::of(X86_64, section(bytes.clone()), data(), vec![]).of_section(".eh_frame_hdr"), bytes);
    }
    // A header without a table, and one that is cut before it.
    let bare = header(KNOWN, here, later)[..12].to_vec();
    let (here, later) = {
        let first = Moved::of(X86_64, section(bare), data(), vec![]);
        (first.address(".eh_frame_hdr"), first.address(".later"))
    };
    let bare = |later: u64| header(KNOWN, here, later)[..12].to_vec();
    let moved = Moved::of(X86_64, section(bare(later)), data(), vec![]);
    assert_eq!(moved.of_section(".eh_frame_hdr"), bare(later + SHIFT));
    for length in 0..12 {
        let bytes = header(KNOWN, here, later)[..length].to_vec();
        let moved = Moved::of(X86_64, vec![(".eh_frame_hdr", 1, 2, bytes.clone(), 0)], data(), vec![]);
        assert!(length == 0 || moved.of_section(".eh_frame_hdr") == bytes, "{length}");
    }
}

/// An entry of a table of frames: its length before it, zeros behind it.
fn entry(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    [numbers(&[u32::try_from(bytes.len()).unwrap()]), bytes].concat()
}

/// The common part of frames with this augmentation: its version, alignments of code and data, the register, the length of the data, these.
fn common_part(augmentation: &[u8], data: &[u8]) -> Vec<u8> {
    entry([&[0, 0, 0, 0, 1][..], augmentation, &[0, 1, 0x78, 0x10, 1], data].concat())
}

/// A frame behind `common`, and the end of all.
fn with_frame(common: &[u8], frame: &[u8]) -> Vec<u8> {
    let back = numbers(&[u32::try_from(common.len() + 4).unwrap()]);
    [common.to_vec(), entry([&back[..], frame].concat()), vec![0; 4]].concat()
}

/// The table of frames that `make` makes of the addresses of the table and of `.later`, as it is predicted, and as it should be: what `make`
/// makes when it is told by how much things moved.
fn predicted_frames(make: &dyn Fn(u64, u64, u64) -> Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let section = |bytes| vec![(".eh_frame", 1, 2, bytes, 0)];
    let length = make(ADDRESS, ADDRESS + 0x200, 0).len();
    let first = Moved::of(X86_64, section(vec![0; length]), data(), vec![]);
    let (here, later) = (first.address(".eh_frame"), first.address(".later"));
    let moved = Moved::of(X86_64, section(make(here, later, 0)), data(), vec![]);
    (moved.of_section(".eh_frame").to_vec(), make(here, later, SHIFT))
}

fn distance(to: u64, from: u64) -> u32 {
    u32::try_from(to - from).unwrap()
}

#[test]
fn frames_move_with_their_function_and_its_length() {
    let common = common_part(b"zR", &[0x1b]);
    let begin = common.len() as u64 + 8;
    for (what, start, length, moves, grows) in [
        ("behind what grew", 10, 40, true, false),
        ("around what grew", -10, 40, false, true),
        ("that ends where it begins to move", -10, 10, false, false),
        ("that ends one byte later", -10, 11, false, true),
    ] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let to = later.wrapping_add_signed(start) + if moves { shift } else { 0 };
            let length = length + if grows { u32::try_from(shift).unwrap() } else { 0 };
            with_frame(&common, &numbers(&[distance(to, here + begin), length, 0]))
        });
        assert_eq!(found, expected, "a function {what}");
    }
}

#[test]
fn a_table_of_a_functions_own_moves_where_the_common_part_says_that_there_is_one() {
    for (augmentation, encodings, moves) in
        [(&b"zLR"[..], &[0x1b, 0x1b][..], true), (b"zR", &[0x1b], false), (b"zRS", &[0x1b], false)]
    {
        let common = common_part(augmentation, encodings);
        let begin = common.len() as u64 + 8;
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let start = numbers(&[distance(later + 30 + shift, here + begin), 4]);
            let table = later + 50 + if moves { shift } else { 0 };
            with_frame(&common, &[start, vec![4], numbers(&[distance(table, here + begin + 9)])].concat())
        });
        assert_eq!(found, expected, "{}", augmentation.escape_ascii());
    }
    // 0 stands for none.
    let common = common_part(b"zLR", &[0x1b, 0x1b]);
    let begin = common.len() as u64 + 8;
    let (found, expected) = predicted_frames(&|here, later, shift| {
        with_frame(&common, &[numbers(&[distance(later + 30 + shift, here + begin), 4]), vec![4, 0, 0, 0, 0]].concat())
    });
    assert_eq!(found, expected);
}

#[test]
fn the_function_that_a_common_part_names_moves_in_the_usual_encodings() {
    for (encoding, moves) in [(0x1b, true), (0x9b, true), (0, false), (3, false), (0x0b, false)] {
        for augmentation in [&b"zPR"[..], b"zRP", b"zPLR"] {
            let before = augmentation.iter().skip(1).take_while(|letter| **letter != b'P').count();
            // Behind length, mark, version, the augmentation with its zero, three numbers and the length of the data.
            let at = 4 + 4 + 1 + augmentation.len() as u64 + 1 + 4 + before as u64 + 1;
            let (found, expected) = predicted_frames(&|here, later, shift| {
                let goal = later + 8 + if moves { shift } else { 0 };
                let function = distance(goal, here + at).to_le_bytes();
                let data: Vec<u8> = augmentation[1..]
                    .iter()
                    .flat_map(|letter| if *letter == b'P' { [&[encoding][..], &function].concat() } else { vec![0x1b] })
                    .collect();
                [common_part(augmentation, &data), vec![0; 4]].concat()
            });
            assert_eq!(found, expected, "{} {encoding:#x}", augmentation.escape_ascii());
        }
    }
}

#[test]
fn frames_are_read_until_one_cannot_be() {
    let common = common_part(b"zR", &[0x1b]);
    let begin = common.len() as u64 + 8;
    let frame = |here: u64, later: u64, shift: u64, at: u64| {
        let back = u32::try_from(at + 4).unwrap();
        entry(numbers(&[back, distance(later + 30 + shift, here + at + 8), 4, 0]))
    };
    let first = begin - 8;
    for (between, is_read) in [
        (vec![], true),
        // The end; a length that leads outside; one that says that more bits follow.
        (vec![0; 4], false),
        (numbers(&[0x1000]), false),
        (numbers(&[u32::MAX]), false),
        // An entry that is too short to be a frame is passed over.
        (entry(numbers(&[8])), true),
    ] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let second = first + 20 + between.len() as u64;
            let shift_of_second = if is_read { shift } else { 0 };
            let parts = [
                common.clone(),
                frame(here, later, shift, first),
                between.clone(),
                frame(here, later, shift_of_second, second),
            ];
            [parts.concat(), vec![0; 4]].concat()
        });
        assert_eq!(found, expected, "{between:02x?} between two");
    }
}

/// Words of a section for debuggers, each beside what it becomes, in a program whose `.later` is code.
fn debug_words(make: impl Fn(u64) -> Vec<(u64, u64)>) {
    let section = |words: Vec<u8>| vec![(".debug_info", 1, 0, words, 0)];
    let bytes = |pairs: &[(u64, u64)], is_moved: bool| -> Vec<u8> {
        pairs.iter().flat_map(|pair| if is_moved { pair.1 } else { pair.0 }.to_le_bytes()).collect()
    };
    let first = Moved::of(X86_64, section(vec![0; 8 * make(0x1_0000).len()]), data(), vec![]);
    let pairs = make(first.address(".later"));
    let moved = Moved::of(X86_64, section(bytes(&pairs, false)), data(), vec![]);
    assert!(moved.of_section(".debug_info") == bytes(&pairs, true), "{pairs:x?}");
}

#[test]
fn addresses_for_debuggers_move_with_what_follows_them() {
    const S: u64 = SHIFT;
    for make in [
        |later| vec![(later, later + S), (0, 0)],
        |later| vec![(later - 1, later - 1), (0, 0)],
        // What follows is the end, which moves as an end, or a length.
        |later| vec![(later - 8, later - 8), (later, later), (0, 0)],
        |later| vec![(later - 8, later - 8), (later + 1, later + 1 + S), (0, 0)],
        |later| vec![(later - 8, later - 8), (8, 8), (0, 0)],
        |later| vec![(later - 8, later - 8), (9, 9 + S), (0, 0)],
        |later| vec![(later, later + S), (200, 200), (0, 0)],
        // Longer than anything is, or behind what is loaded.
        |later| vec![(later - 8, later - 8), (1 << 24, 1 << 24), (0, 0)],
        // As the last word there is nothing that follows.
        |later| vec![(0, 0), (later + 8, later + 8 + S)],
        // More than 40 bits are no address.
        |later| vec![(later | 1 << 40, later | 1 << 40), (0, 0)],
        // The word behind two is an address of its own.
        |later| vec![(later, later + S), (later + 4, later + 4 + S), (later + 9, later + 9 + S), (0, 0)],
    ] as [fn(u64) -> Vec<(u64, u64)>; 11]
    {
        debug_words(make);
    }
}

/// Where the fields of headers are: the width of a word; in the file's header the offset of the section headers; in a program header its start,
/// offset, two addresses and two sizes; in a section header its length, address, offset and size.
struct Fields {
    word: usize,
    table: usize,
    loaded: [usize; 6],
    row: [usize; 4],
}

const FIELDS_32: Fields = Fields { word: 4, table: 32, loaded: [52, 4, 8, 12, 16, 20], row: [40, 12, 16, 20] };
const FIELDS_64: Fields = Fields { word: 8, table: 40, loaded: [64, 8, 16, 24, 32, 40], row: [64, 16, 24, 32] };

impl Fields {
    fn of(machine: u16) -> Self {
        if machine == I386 { FIELDS_32 } else { FIELDS_64 }
    }

    fn read(&self, bytes: &[u8], at: usize) -> u64 {
        bytes[at..at + self.word].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Address, offset and size in the header of a section.
    fn section(&self, base: &[u8], bytes: &[u8], number: usize) -> [u64; 3] {
        let [length, fields @ ..] = self.row;
        let table = usize::try_from(self.read(base, self.table)).unwrap();
        fields.map(|field| self.read(bytes, table + number * length + field))
    }
}

#[test]
fn the_headers_of_the_file_are_those_of_the_target() {
    for machine in [X86_64, AARCH64, I386] {
        let fields = Fields::of(machine);
        let Moved { base, predicted } = Moved::of(machine, vec![(".text", 1, 6, vec![0; 64], 0)], data(), vec![]);
        let both = |at: usize| (fields.read(&base, at), fields.read(&predicted, at));
        assert_eq!(both(24), (ADDRESS, ADDRESS), "the entry");
        let (table, moved) = both(fields.table);
        assert_eq!(moved, table + SHIFT, "the section headers");
        let [start, offset, address, physical, file_size, memory_size] = fields.loaded;
        for (field, grows) in
            [(offset, false), (address, false), (physical, false), (file_size, true), (memory_size, true)]
        {
            let (old, new) = both(start + field);
            assert_eq!(new, old + if grows { SHIFT } else { 0 }, "{field} of the loaded part of {machine}");
        }
        let [text, later] =
            [1, 2].map(|number| (fields.section(&base, &base, number), fields.section(&base, &predicted, number)));
        assert_eq!(text.0, text.1);
        let [address, offset, size] = later.0;
        assert_eq!(later.1, [address + SHIFT, offset + SHIFT, size], "{machine}");
    }
}

#[test]
fn the_size_of_a_section_grows_by_what_comes_into_it() {
    for machine in [X86_64, I386] {
        let fields = Fields::of(machine);
        let sections = vec![(".text", 1, 2, vec![0; 64], 0), data()];
        let mut base = Program { machine, address: ADDRESS, sections }.bytes();
        let split = place(&base, ".later").start as u64;
        let [length, .., size_at] = fields.row;
        let table = usize::try_from(fields.read(&base, fields.table)).unwrap();
        for (size, grows) in [(63, false), (64, false), (65, true), (80, true)] {
            base[table + length + size_at] = size;
            let matches = [
                Match { target: 0, base: 0, length: split },
                Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
            ];
            let predicted = predict(base.clone(), &matches, &HINT);
            let [_, _, found] = fields.section(&base, &predicted, 1);
            assert_eq!(found, u64::from(size) + if grows { SHIFT } else { 0 }, "{size} of {machine}");
        }
    }
}

#[test]
fn a_hint_has_up_to_256_loaded_parts_and_nothing_behind_them() {
    let sections = vec![(".text", 1, 2, vec![0; 64], 0), (".later", 14, 3, vec![0; 64], 0)];
    let base = Program { machine: X86_64, address: ADDRESS, sections }.bytes();
    let split = place(&base, ".later").start as u64;
    let matches = [
        Match { target: 0, base: 0, length: split },
        Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
    ];
    let is_predicted = |hint: &[u8]| predict(base.clone(), &matches, hint) != base;
    let parts = |count: u16| {
        let [high, low] = [(count >> 7).to_be_bytes()[1] | 0x80, count.to_be_bytes()[1] & 0x7f];
        let first = [0, 0, 0x81, 0, 0x81, 0];
        [&[high, low][..], &first, &vec![0; 4 * (usize::from(count) - 1)], &[0]].concat()
    };
    for (hint, is_one) in [
        (HINT.to_vec(), true),
        (parts(1), true),
        (parts(255), true),
        (parts(256), true),
        (parts(257), false),
        ([&HINT[..], &[0]].concat(), false),
        (vec![1, 0, 0, 0x81, 0, 0x81, 0], false),
    ] {
        assert_eq!(is_predicted(&hint), is_one, "a hint of {} bytes", hint.len());
    }
    for length in 0..HINT.len() {
        assert!(!is_predicted(&HINT[..length]), "cut to {length} bytes");
    }
}

#[test]
fn what_is_in_memory_only_moves_as_bss_does() {
    // Addresses behind the bytes of the file, of which the loaded part has 4096 more; the byte behind the last one is none.
    let with_end = |zeroed: u64, loaded: u64| -> Vec<u8> {
        let words = [zeroed, zeroed + 100, zeroed + 4095, ADDRESS + loaded + 4096];
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    };
    let bytes = |zeroed: u64, loaded: u64| {
        let words = (".init_array", 14, 3, with_end(zeroed, loaded), 0);
        let sections = vec![words, (".tbss", 8, 3, vec![], 0), (".bss", 8, 3, vec![], 0), data()];
        Program { machine: X86_64, address: ADDRESS, sections }.bytes()
    };
    let loaded = FIELDS_64.read(&bytes(0, 0), 64 + 32);
    let base = bytes(ADDRESS + loaded, loaded);
    let found = |hint: &[u8]| {
        let predicted = predict(base.clone(), &[Match { target: 0, base: 0, length: base.len() as u64 }], hint);
        predicted[place(&base, ".init_array")].to_vec()
    };
    // The number behind those of the loaded part: by how much the start of `.bss` moved, twice.
    assert_eq!(found(&[1, 0, 0, 0, 0, 0]), with_end(ADDRESS + loaded, loaded));
    assert_eq!(found(&[1, 0, 0, 0, 0, 2 * 24]), with_end(ADDRESS + loaded + 24, loaded));
    assert_eq!(found(&[1, 0, 0, 0, 0, 2 * 24 - 1]), with_end(ADDRESS + loaded - 24, loaded));
}

#[test]
fn a_hint_tells_by_how_much_the_loaded_parts_differ() {
    let program = |machine, grown: usize| {
        let sections = vec![(".text", 1, 6, vec![0; 64 + grown], 0), (".bss", 8, 3, vec![], 0)];
        Program { machine, address: ADDRESS, sections }.bytes()
    };
    let told = |base: &[u8], target: &[u8]| describe(&base.to_vec(), &target.to_vec()).unwrap();
    for machine in [X86_64, AARCH64, I386, 40] {
        let [small, large] = [0, 64].map(|grown| program(machine, grown));
        // One part; offset and address as before; the sizes in the file and in memory, and where `.bss` is: 64 more or less.
        assert_eq!(told(&small, &large).unwrap(), [1, 0, 0, 0x81, 0, 0x81, 0, 0x81, 0]);
        assert_eq!(told(&large, &small).unwrap(), [1, 0, 0, 127, 127, 127]);
        assert_eq!(told(&small, &small).unwrap(), [1, 0, 0, 0, 0, 0]);
    }
    assert_eq!(told(&program(X86_64, 0), &program(AARCH64, 0)), None);
    // Of a processor that is not known, in two sizes of words.
    let mut narrow = program(I386, 0);
    narrow[18] = 40;
    assert_eq!(told(&narrow, &program(40, 0)), None);
    assert!(told(&narrow, &narrow).is_some());
}

#[test]
fn a_table_of_headers_that_leads_outside_or_has_short_rows_has_none() {
    let base =
        Program { machine: X86_64, address: ADDRESS, sections: vec![(".text", 1, 6, vec![0; 64], 0), data()] }.bytes();
    let count = sections(&base).len();
    assert_eq!(count, 3, "two, and the one with the names");
    let with = |at: usize, value: u16| {
        let mut other = base.clone();
        other[at..at + 2].copy_from_slice(&value.to_le_bytes());
        sections(&other)
    };
    // The length of a row, and how many there are: then the loaded part stands for all code.
    for (at, value) in [(58, 63), (58, 0), (60, 5), (60, u16::MAX)] {
        assert_eq!(with(at, value).len(), 1, "{value} at {at}");
        assert_eq!(with(at, value)[0].0, "");
    }
    assert_eq!(with(60, 4).len(), count);
    assert_eq!(with(60, 2).len(), 0, "without the section of names nobody knows what it is");
    // Without loaded parts there is no code then.
    let mut none = base.clone();
    none[58] = 0;
    none[54] = 55;
    assert_eq!(sections(&none).len(), 0);
}

#[test]
fn what_is_loaded_as_no_code_is_none() {
    let call = |later: u64, start: u64| {
        let mut bytes = vec![0x90; 64];
        bytes[20] = 0xe8;
        bytes[21..25].copy_from_slice(&distance(later, start + 25).to_le_bytes());
        bytes
    };
    let (start, later) = addresses(X86_64, 64);
    let bytes = call(later, start);
    assert_ne!(code(X86_64, &bytes), bytes);
    // In a section without the flag of code nothing is followed, nor where the loaded part has none.
    let moved = Moved::of(X86_64, vec![(".text", 1, 2, bytes.clone(), 0)], data(), vec![]);
    assert_eq!(moved.of_section(".text"), bytes);
    let sections = vec![(".text", 1, 6, bytes, 0), (".debug_info", 1, 0, later.to_le_bytes().to_vec(), 0), data()];
    let mut base = Program { machine: X86_64, address: ADDRESS, sections }.bytes();
    let split = place(&base, ".debug_info").start as u64;
    let matches = [
        Match { target: 0, base: 0, length: split },
        Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
    ];
    let found = |base: &[u8]| {
        let predicted = predict(base.to_vec(), &matches, &HINT);
        [".text", ".debug_info"].map(|name| predicted[place(base, name)] != base[place(base, name)])
    };
    assert_eq!(found(&base), [true, true]);
    base[64 + 4] = 4;
    assert_eq!(found(&base), [false, false]);
}

#[test]
fn what_is_behind_an_operand_that_leads_nowhere_is_looked_at() {
    let (start, later) = addresses(X86_64, 64);
    let mut bytes = vec![0x90; 64];
    // The distance of the first starts with the opcode of the second, and leads behind all that is loaded.
    bytes[20..23].copy_from_slice(b"\x8b\x05\xe8");
    let call = |to: u64| distance(to, start + 27).to_le_bytes();
    bytes[23..27].copy_from_slice(&call(later + 40));
    let mut moved = bytes.clone();
    moved[23..27].copy_from_slice(&call(later + 40 + SHIFT));
    assert_eq!(code(X86_64, &bytes), moved);
}

/// An entry without zeros behind it.
fn exact_entry(bytes: &[u8]) -> Vec<u8> {
    [numbers(&[u32::try_from(bytes.len()).unwrap()]), bytes.to_vec()].concat()
}

#[test]
fn a_frame_is_read_as_far_as_it_goes() {
    let common = common_part(b"zLR", &[0x1b, 0x1b]);
    let begin = common.len() as u64 + 8;
    let back = u32::try_from(common.len() + 4).unwrap();
    for (length, start_moves, table_moves) in [
        // Up to the length of the function; with the table of its own, whole and cut; and nothing behind it in the section.
        (12, true, false),
        (11, false, false),
        (8, false, false),
        (17, true, true),
        (16, true, false),
    ] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let moves = |is_one: bool| if is_one { shift } else { 0 };
            let start = distance(later + 30 + moves(start_moves), here + begin);
            let table = distance(later + 50 + moves(table_moves), here + begin + 9);
            let whole = [numbers(&[back, start, 4]), vec![4], numbers(&[table])].concat();
            [common.clone(), exact_entry(&whole[..length])].concat()
        });
        assert_eq!(found, expected, "a frame of {length} bytes");
    }
}

#[test]
fn a_function_at_the_end_of_a_common_part_is_whole() {
    for (cut, moves) in [(0, true), (1, false)] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            // Behind length, mark, version, `zP`, its zero, three numbers, the length of the data and the encoding.
            let at = 4 + 4 + 1 + 2 + 1 + 4 + 1;
            let function = distance(later + 8 + if moves { shift } else { 0 }, here + at);
            let part = [&[0, 0, 0, 0, 1][..], b"zP", &[0, 1, 0x78, 0x10, 5, 0x1b], &function.to_le_bytes()].concat();
            [exact_entry(&part[..part.len() - cut]), vec![0; 8]].concat()
        });
        assert_eq!(found, expected, "{cut} bytes cut");
    }
}
