//! Loaded parts and other rows of the program headers, and how many rows are looked at: FORMAT.md, sections 10 to 10.3.

use std::io;

use delta_codec::ReadAt;
use delta_codec::limits::PREDICTED_BYTES_LARGE;

use super::*;

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;

/// The words behind the type and the flags of a row of the program headers of a program, of which each has `fields`.
fn row(program: &[u8], number: usize) -> Vec<u64> {
    let is_64 = program[4] == 2;
    let (word, table_at, length, first) = if is_64 { (8, 32, 56, 8) } else { (4, 28, 32, 4) };
    let read = |at: usize| program[at..at + word].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let start = usize::try_from(read(table_at)).unwrap() + number * length + first;
    (0..5).map(|field| read(start + field * word)).collect()
}

/// A program of `.text`, `.later` and what is behind it, which the rows that `parts` makes of where `.later` starts and ends describe.
fn moved(machine: u16, hint: &[u8], parts: &dyn Fn(u64, u64) -> Vec<Part>) -> (Moved, u64) {
    let before = vec![(".text", 1, 6, vec![0x90; 64], 0)];
    let moved = Moved::edited(machine, before, data(), vec![], hint, &|program| {
        let later = place(program, ".later");
        with_parts(program, &parts(later.start as u64, later.end as u64));
    });
    let later = place(&moved.base, ".later").start as u64;
    (moved, later)
}

#[test]
fn other_rows_move_with_what_they_are_about() {
    // Offset, address, physical address, size in the file and in memory, each less `.later` where it is about it.
    type Told = (&'static str, [i64; 3], [i64; 3], [u64; 2]);
    let cases: [Told; 7] = [
        ("before what moves", [-16, -16, 16], [-16, -16, 16], [16, 16]),
        ("what moves", [0, 0, 40], [64, 64, 40], [40, 40]),
        ("from one to the other", [-16, -16, 17], [-16, -16, 81], [81, 81]),
        ("an address that is not that of the offset", [0, -8, 8], [64, -8, 8], [8, 8]),
        ("an offset that is not that of the address", [-8, 8, 8], [-8, 72, 8], [8, 8]),
        // Without bytes only the addresses move.
        ("nothing", [8, 8, 0], [8, 72, 0], [0, 99]),
        ("an address that is not loaded", [8, 1 << 20, 8], [72, 1 << 20, 8], [8, 8]),
    ];
    for machine in [X86_64, AARCH64, I386] {
        for (what, [offset, address, size], [offset_then, address_then, size_then], [in_file, in_memory]) in cases {
            let at = |start: u64, by: i64| start.wrapping_add_signed(by);
            let (moved, later) = moved(machine, &HINT, &|later, end| {
                let told = (DYNAMIC, 4, at(later, offset), at(ADDRESS + later, address), size.unsigned_abs(), 99);
                vec![(LOAD, 5, 0, ADDRESS, end, end), told]
            });
            let there = at(ADDRESS + later, address_then);
            let expected = [at(later, offset_then), there, there, in_file, in_memory];
            assert_eq!(size_then.unsigned_abs(), in_file);
            assert_eq!(row(&moved.predicted, 1), expected, "{what} of {machine}");
        }
    }
}

#[test]
fn loaded_rows_are_those_of_the_target_by_their_number() {
    // Each number of the second part is another than that of the base: 1, -1, 2, -2; then there is no `.bss`.
    let two = [2, 0, 0, 0, 0, 2, 1, 4, 3, 0];
    for machine in [X86_64, I386] {
        let parts = |later: u64, end: u64| {
            let other = (DYNAMIC, 4, 0, ADDRESS, 8, 8);
            let behind = end - later;
            vec![
                (LOAD, 5, 0, ADDRESS, later, later),
                other,
                (LOAD, 4, later, ADDRESS + later, behind, behind),
                (LOAD, 4, 5, 6, 7, 8),
            ]
        };
        let (moved, later) = moved(machine, &two, &parts);
        let base = |number| row(&moved.base, number);
        let found = |number| row(&moved.predicted, number);
        assert_eq!(found(0), base(0), "{machine}");
        let place = ADDRESS + later - 1;
        assert_eq!(found(2), [later + 1, place, place, 256 + 2, 256 - 2], "{machine}");
        // The target has no third one: its row stays.
        assert_eq!(found(3), [5, 6, 6, 7, 8], "{machine}");
        // Those that the base has not are told by the difference to 0, and stand nowhere.
        let five = [&[5][..], &[0; 16], &[2, 4, 6, 8, 0]].concat();
        assert_eq!(row(&self::moved(machine, &five, &parts).0.predicted, 3), [5, 6, 6, 7, 8]);
        let broken = [&[5][..], &[0; 16], &[2, 4, 6, 8]].concat();
        let (moved, _) = self::moved(machine, &broken, &parts);
        assert!(moved.predicted == moved.base, "a hint that is cut");
    }
}

#[test]
fn an_address_is_of_the_first_part_that_has_it() {
    const START: u64 = 0x5000;
    // Two parts with the same addresses: one has `.text` in them, the other `.later`, which moves.
    let part = |start: u64, end: u64| (LOAD, 4, start, START, end - start, end - start);
    let first = |later: u64, end: u64| vec![part(0, later), part(later, end)];
    let second = |later: u64, end: u64| vec![part(later, end), part(0, later)];
    let grown = |parts: &dyn Fn(u64, u64) -> Vec<Part>, word: &dyn Fn(u64) -> u64| {
        let moved = |word: u64| {
            let rows = vec![(".init_array", 14, 3, word.to_le_bytes().to_vec(), 0)];
            Moved::edited(X86_64, rows, data(), vec![], &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0], &|program| {
                let later = place(program, ".later");
                with_parts(program, &parts(later.start as u64, later.end as u64));
            })
        };
        let word = word(place(&moved(0).base, ".later").start as u64);
        u64::from_le_bytes(*moved(word).of_section(".init_array").first_chunk().unwrap()) - word
    };
    assert_eq!(grown(&first, &|_| START + 40), 0);
    assert_eq!(grown(&second, &|_| START + 40), SHIFT);
    // Where the first one ends in memory the second has it.
    assert_eq!(grown(&first, &|later| START + later - 1), 0);
    assert_eq!(grown(&first, &|later| START + later), SHIFT);
}

#[test]
fn at_most_256_rows_of_program_headers_are_looked_at() {
    for (rows, counted) in [(1, 1_usize), (255, 255), (256, 256), (257, 256), (1_000, 256)] {
        let sections = vec![(".text", 1, 6, vec![0x90; 64], 0), data()];
        let mut program = Program { machine: X86_64, address: ADDRESS, sections }.bytes();
        with_parts(&mut program, &vec![(LOAD, 5, 0, ADDRESS, 64, 64); rows]);
        let hint = describe(&program, &program).unwrap().unwrap();
        let number = if counted < 128 {
            vec![counted.to_le_bytes()[0]]
        } else {
            vec![0x80 | (counted >> 7).to_le_bytes()[0], (counted & 127).to_le_bytes()[0]]
        };
        assert_eq!(hint, [number, vec![0; 4 * counted + 1]].concat(), "{rows} rows");
    }
}

#[test]
fn at_most_4096_rows_of_section_headers_are_looked_at() {
    let two = vec![(".text", 1, 6, vec![0x90; 1], 0), data()];
    let small = Program { machine: X86_64, address: ADDRESS, sections: two }.bytes();
    let table = usize::try_from(u64::from_le_bytes(*small[40..].first_chunk().unwrap())).unwrap();
    let (rows, text) = (small[table..].to_vec(), small[table + 64..table + 128].to_vec());
    for (count, found) in [(5, 4), (4_095, 4_094), (4_096, 4_095), (4_097, 4_095), (10_000, 4_095)] {
        let mut program = small.clone();
        program[40..48].copy_from_slice(&(small.len() as u64).to_le_bytes());
        program[60..62].copy_from_slice(&u16::try_from(count).unwrap().to_le_bytes());
        // Those that it had, of which the first has no bytes, and more of one byte.
        program.extend([&rows[..], &text.repeat(count - 4)].concat());
        assert_eq!(sections(&program).len(), found, "{count} rows");
    }
}

#[test]
fn words_are_addresses_where_they_are_fixed_when_the_program_is_linked() {
    for (kind, machine) in [(2, X86_64), (3, X86_64), (2, AARCH64), (2, I386), (1, X86_64), (0x102, X86_64)] {
        for (name, flags) in [(".data", 3), (".rodata", 2), (".debug_x", 3), (".data", 1)] {
            let word = if machine == I386 { 4 } else { 8 };
            let rows = |later: u64| {
                vec![(name, 1, flags, [later, 7, later + 8].map(|one| one.to_le_bytes()[..word].to_vec()).concat(), 0)]
            };
            let edit = |program: &mut Vec<u8>| program[16..18].copy_from_slice(&u16::to_le_bytes(kind));
            let later = Moved::edited(machine, rows(0), data(), vec![], &HINT, &edit).address(".later");
            let moved = Moved::edited(machine, rows(later), data(), vec![], &HINT, &edit);
            // Sections for debuggers have rules of their own in 64-bit files, which find the same addresses in code.
            let is_for_debuggers = name == ".debug_x" && machine != I386;
            let are_addresses = is_for_debuggers || (kind == 2 && flags & 2 != 0);
            let expected = rows(if are_addresses { later + SHIFT } else { later });
            assert_eq!(moved.of_section(name), expected[0].3, "{name} with flags {flags} in type {kind} of {machine}");
        }
    }
}

/// So many bytes that start as an executable does; more of them than these cannot be read.
struct StartsLikeOne(u64);

impl ReadAt for StartsLikeOne {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset > 0 || buffer.len() > 4 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        buffer.copy_from_slice(&b"\x7fELF"[..buffer.len()]);
        Ok(buffer.len())
    }
}

#[test]
fn executables_of_up_to_128_mebibytes_are_read() {
    let program = Program { machine: X86_64, address: ADDRESS, sections: vec![data()] }.bytes();
    for (length, is_read) in
        [(4, true), (PREDICTED_BYTES_LARGE, true), (PREDICTED_BYTES_LARGE + 1, false), (u64::MAX, false)]
    {
        let large = StartsLikeOne(length);
        for told in [describe(&large, &program), describe(&program, &large)] {
            match told {
                Err(error) => {
                    assert!(is_read && length > 4 && error.kind() == io::ErrorKind::TimedOut, "{length}: {error}")
                }
                Ok(hint) => assert!(hint.is_none() && (!is_read || length == 4), "{length}"),
            }
        }
    }
}
