//! Predicted addresses: right ones for what a compiler makes, and never a failure.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use std::fs;
use std::path::Path;

use common::programs::{AARCH64, I386, Program, X86_64};
use common::{noise, run};
use delta_codec::ReadAt;
use delta_codec::align::{Fineness, Index, Match};
use delta_codec::exec::{describe, predict};
use delta_codec::patch::{self, Streams, decode, encode};
use proptest::prelude::*;

/// Numbers of 32 bits from noise, each below `below` in size.
fn distances(seed: u64, count: usize, below: i32) -> Vec<i32> {
    noise(seed, 4 * count).as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes) % below).collect()
}

/// Calls, jumps, operands, and what lies between them; `grown` more bytes stand in the middle.
fn x86_code(grown: usize) -> Vec<u8> {
    let code = |seed| {
        distances(seed, 300, 6_000).into_iter().enumerate().flat_map(|(number, distance)| {
            let opcode: &[u8] = match number % 6 {
                0 => &[0xe8],
                1 => &[0xe9],
                2 => &[0x0f, 0x84],
                3 => &[0x48, 0x8d, 0x05],
                4 => &[0xc5, 0xf8, 0x10, 0x0d],
                _ => &[0x48, 0x8b, 0x1d],
            };
            [opcode, &distance.to_le_bytes(), &[0x90, 0x55, 0x5d]].concat()
        })
    };
    code(1).chain(vec![0x90; grown]).chain(code(7)).collect()
}

fn arm_code(grown: usize) -> Vec<u8> {
    let code = |seed| {
        distances(seed, 400, 1_500).into_iter().enumerate().map(|(number, distance)| {
            let bits = distance.cast_unsigned();
            match number % 7 {
                0 => 0x9400_0000 | bits & 0x3ff_ffff,
                1 => 0x5400_0000 | (bits & 0x7_ffff) << 5,
                2 => 0x3600_0000 | (bits & 0x3fff) << 5,
                3 => 0x9000_0000 | (bits & 1) << 29 | 3,
                4 => 0x9100_0063 | (bits & 0xfff) << 10,
                5 => 0x1000_0000 | (bits & 0x7_ffff) << 5,
                _ => 0xf940_0061 | (bits & 0xff) << 10,
            }
        })
    };
    let instructions = code(1).chain(vec![0xd503_201f; grown / 4]).chain(code(7));
    instructions.flat_map(u32::to_le_bytes).collect()
}

/// A program with every kind of table, and with `grown` bytes more of code.
fn program(machine: u16, grown: usize) -> Vec<u8> {
    let code = if machine == AARCH64 { arm_code(grown) } else { x86_code(grown) };
    let word = if machine == I386 { 4 } else { 8 };
    let near = |seed, count: usize| -> Vec<u8> {
        let grown = grown as u64;
        let moved = |distance: i32| 0x1_0100 + u64::from(distance.unsigned_abs()) + grown;
        distances(seed, count, 2_000).into_iter().flat_map(|one| moved(one).to_le_bytes()[..word].to_vec()).collect()
    };
    let frames = |seed| -> Vec<u8> {
        let common: &[u8] = &[20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 0x10, 1, 0x1b, 0, 0, 0, 0, 0, 0, 0];
        let frame = |(number, distance): (usize, i32)| {
            let back = u32::try_from(28 + 24 * number).unwrap();
            let words = [20, back, distance.cast_unsigned(), 50, 0, 0];
            words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>()
        };
        let frames = distances(seed, 40, 3_000).into_iter().enumerate().flat_map(frame);
        common.iter().copied().chain(frames).chain([0; 4]).collect()
    };
    let header = [vec![1, 0x1b, 3, 0x3b], noise(9, 8), noise(3, 80)].concat();
    let sections = vec![
        (".dynsym", 11, 2, near(2, 60), 2),
        (".dynstr", 3, 2, noise(4, 300), 0),
        (".rela.dyn", 4, 2, near(6, 90), 1),
        (".rel.plt", 9, 2, near(8, 30), 1),
        (".relr.dyn", 19, 2, near(10, 20), 0),
        (".text", 1, 6, code, 0),
        (".rodata", 1, 2, distances(5, 500, 3_000).into_iter().flat_map(i32::to_le_bytes).collect(), 0),
        (".eh_frame_hdr", 1, 2, header, 0),
        (".eh_frame", 1, 2, frames(11), 0),
        (".init_array", 14, 3, near(12, 4), 0),
        (".dynamic", 6, 3, near(14, 20), 2),
        (".got", 1, 3, near(16, 30), 0),
        (".data", 1, 3, near(18, 30), 0),
        (".debug_info", 1, 0, near(20, 60), 0),
    ];
    Program { machine, address: 0x1_0000, sections }.bytes()
}

fn matches(base: &dyn ReadAt, target: &dyn ReadAt) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut push = |found| {
        matches.push(found);
        Ok(())
    };
    Index::new(base, Fineness::Every).unwrap().align(target, &mut push).unwrap();
    matches
}

fn differing(base: &[u8], target: &[u8], matches: &[Match]) -> usize {
    let part = |bytes: &[u8], start: u64, length: u64| {
        let start = usize::try_from(start).unwrap();
        bytes[start..start + usize::try_from(length).unwrap()].to_vec()
    };
    let differing = |found: &Match| {
        let (base, target) = (part(base, found.base, found.length), part(target, found.target, found.length));
        base.iter().zip(target).filter(|(one, other)| **one != *other).count()
    };
    matches.iter().map(differing).sum()
}

/// How many bytes in the matches differ without and with the prediction, which has been seen to decode.
fn gain(base: &[u8], target: &[u8]) -> (usize, usize) {
    let (base, target) = (&base.to_vec(), &target.to_vec());
    let hint = describe(base, target).unwrap().unwrap();
    let matches = matches(base, target);
    let predicted = predict(base.to_vec(), &matches, &hint);
    assert_eq!(predicted.len(), base.len());
    let prediction = |matches: &[Match]| Ok(Some(predict(base.to_vec(), matches, &hint)));
    let mut streams = Streams::<Vec<u8>>::default();
    let is_predicted = encode(base, target, &prediction, Fineness::Every, &mut streams).unwrap();
    let Streams { control, gaps, values, literals } = &streams;
    let mut streams = Streams { control: &control[..], gaps: &gaps[..], values: &values[..], literals: &literals[..] };
    let mut rebuilt = Vec::new();
    let prediction: &patch::Prediction<'_> = if is_predicted { &prediction } else { &patch::no_prediction };
    decode(base, target.len() as u64, prediction, &mut streams, &mut rebuilt).unwrap();
    assert!(rebuilt == *target);
    (differing(base, target, &matches), differing(&predicted, target, &matches))
}

/// A C program of many functions that call each other and use data; every 37th does `more` besides.
fn source(more: usize) -> String {
    let mut source = String::from("#include <stdio.h>\nstatic int seen[4096];\nstatic const char *names[120];\n");
    for number in 0..120_usize {
        source += &format!("__attribute__((noinline)) int f{number}(int a, int b) {{\n");
        for (step, byte) in noise(2 * number as u64 + 1, 9).into_iter().enumerate() {
            let (wide, callee) = (usize::from(byte) * 7 + step, usize::from(byte) % number.max(1));
            source += &match byte % 8 {
                _ if number == 0 => format!("a ^= b * {wide};\n"),
                0 | 1 => format!("a += f{callee}(b, a >> {});\n", byte % 5),
                2 => format!("seen[{wide}] += b; names[{number}] = \"name {wide}\";\n"),
                3 => format!("if (a > {wide}) puts(\"text {number} {wide}\"); else b ^= seen[a & 4095];\n"),
                4 => format!("for (int i = 0; i < {wide}; i++) a += seen[(i * b) & 4095];\n"),
                5 => format!(
                    "switch (b % 6) {{ case 0: a = f{callee}(a, b); break; case 1: b += {wide}; break; \
                              case 2: seen[a & 4095]--; break; case 3: a -= b; break; case 4: return a; case 5: b = -a; }}\n"
                ),
                6 => format!("b = a * {wide} - b / {};\n", byte % 9 + 2),
                _ => format!("if (b & {wide}) return seen[{wide}] - a;\n"),
            };
        }
        let added = if number % 37 == 5 { more } else { 0 };
        (0..added).for_each(|step| source += &format!("seen[(b + {step}) & 4095] ^= a * {step} + b;\n"));
        source += "return a - b; }\n";
    }
    source += "int main(int c, char **v) { return f119(c, 5) + (names[c] != 0) + (v != 0); }\n";
    source
}

fn compiled(folder: &Path, name: &str, more: usize, options: &[&str]) -> Vec<u8> {
    fs::write(folder.join("source.c"), source(more)).unwrap();
    run("build-essential", folder, "gcc", &[&["-O1", "-o", name, "source.c"], options].concat());
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn what_a_compiler_made_again_is_predicted() {
    let folder = tempfile::tempdir().unwrap();
    for options in [&[][..], &["-no-pie", "-fno-pic"], &["-static"], &["-shared", "-fPIC"], &["-g", "-gdwarf-4"]] {
        let base = compiled(folder.path(), "base", 0, options);
        let target = compiled(folder.path(), "target", 9, options);
        let (without, with) = gain(&base, &target);
        assert!(2 * with < without, "{options:?}: {with} of {without} bytes still differ");
    }
}

/// The program without section headers.
fn stripped(mut program: Vec<u8>) -> Vec<u8> {
    program[40..48].fill(0);
    program[60..62].fill(0);
    program
}

#[test]
fn code_is_predicted_in_a_program_without_sections() {
    for machine in [X86_64, AARCH64] {
        let base = stripped(program(machine, 0));
        let hint = describe(&base, &base).unwrap().unwrap();
        let half = base.len() as u64 / 2;
        let moved =
            [Match { target: 0, base: 0, length: half }, Match { target: half + 4096, base: half, length: half }];
        assert!(predict(base.clone(), &moved, &hint) != base, "{machine}");
    }
}

#[test]
fn sections_that_overlap_take_no_more_than_the_file() {
    let whole = [0x48, 0x8d, 0x05, 0, 0, 0, 0].repeat(20_000);
    let mut sections = vec![(".text", 1, 6, whole, 0)];
    sections.extend((0..3_000).map(|_| (".more", 1, 6, vec![0x90], 0)));
    let mut base = Program { machine: X86_64, address: 0x1_0000, sections }.bytes();
    // Every section becomes as large as the first one.
    let table = usize::try_from(u64::from_le_bytes(*base[40..].first_chunk().unwrap())).unwrap();
    let span: Vec<u8> = base[table + 64 + 16..table + 64 + 40].to_vec();
    for row in 2..3_001 {
        base[table + 64 * row + 16..table + 64 * row + 40].copy_from_slice(&span);
    }
    let hint = describe(&base, &base).unwrap().unwrap();
    assert_eq!(predict(base.clone(), &[Match { target: 64, base: 0, length: 9_000 }], &hint).len(), base.len());
}

/// A Go program of 100 functions, with `grown` bytes more in the middle of its code, which has its types, too.
fn go_program(grown: usize) -> Vec<u8> {
    let (start, size) = (0x1_0080_u64, 4096 + grown);
    let table = start + size as u64;
    let place = |number: usize| u32::try_from(40 * number + if number < 50 { 0 } else { grown }).unwrap();
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let rows = (0..100).flat_map(|number| [place(number), 808]).flat_map(u32::to_le_bytes).collect();
    let header = words(&[0x0801_0000_ffff_fff1, 100, 0, start, 72, 72, 72, 72, 72]);
    let mut module = vec![0; 41];
    (module[0], module[1], module[37], module[38], module[40]) = (table, table + 72, start, start, start);
    let sections = vec![
        (".text", 1, 6, vec![0; size], 0),
        (".gopclntab", 1, 2, [header, rows, vec![0; 80]].concat(), 0),
        (".typelink", 1, 2, (0..100).flat_map(|number| place(number).to_le_bytes()).collect(), 0),
        (".data", 1, 3, words(&module), 0),
    ];
    Program { machine: X86_64, address: 0x1_0000, sections }.bytes()
}

#[test]
fn offsets_in_tables_of_go_programs_are_predicted() {
    let (base, target) = (go_program(0), go_program(64));
    let hint = describe(&base, &target).unwrap().unwrap();
    let middle = 128 + 1990;
    let matches = [
        Match { target: 0, base: 0, length: middle },
        Match { target: middle + 64, base: middle, length: base.len() as u64 - middle },
    ];
    let predicted = predict(base.clone(), &matches, &hint);
    let tables = 128 + 4096 + 72..128 + 4096 + 72 + 800;
    assert_ne!(base[tables.clone()], target[tables.start + 64..tables.end + 64]);
    assert_eq!(predicted[tables.clone()], target[tables.start + 64..tables.end + 64]);
    let links = (128 + 4096 + 72 + 800 + 80_usize).next_multiple_of(16);
    assert_eq!(predicted[links..links + 400], target[links + 64..links + 464]);
}

/// The format says what is predicted: these are the predictions of the version that it names.
#[test]
fn predictions_are_those_of_the_format() {
    let found = [X86_64, AARCH64, I386].map(|machine| {
        let (base, target) = (program(machine, 0), program(machine, 64));
        let hint = describe(&base, &target).unwrap().unwrap();
        let at = |number: u64| number * 1_000;
        let matches: Vec<Match> = (0..base.len() as u64 / 1_000)
            .map(|number| Match { target: at(number) + 16 * (number / 3), base: at(number), length: 900 })
            .collect();
        let hash = xxhash_rust::xxh3::xxh3_64(&predict(base.clone(), &matches, &hint));
        (hint, hash)
    });
    let hints = found.each_ref().map(|(hint, _)| hint.clone());
    assert_eq!(hints, [PINNED.0, PINNED.0, PINNED.0].map(<[u8]>::to_vec));
    assert_eq!(found.map(|(_, hash)| hash), PINNED.1);
}

const PINNED: (&[u8], [u64; 3]) =
    (&[1, 0, 0, 129, 0, 129, 0, 0], [4_133_204_313_827_381_701, 839_807_078_287_761_524, 16_822_077_760_832_131_076]);

#[test]
fn what_is_no_executable_or_another_one_has_no_hint() {
    let program = |machine| program(machine, 0);
    assert!(describe(&program(X86_64), &program(X86_64)).unwrap().is_some());
    for (base, target) in [
        (program(X86_64), program(AARCH64)),
        (program(X86_64), noise(1, 5_000)),
        (b"#!/bin/sh".to_vec(), program(X86_64)),
        (Vec::new(), Vec::new()),
    ] {
        assert_eq!(describe(&base, &target).unwrap(), None);
    }
}

#[test]
fn a_hint_that_is_none_predicts_what_stands_there() {
    let base = program(X86_64, 0);
    for hint in [&[][..], &[1], &[255; 40], &noise(3, 100)] {
        assert!(predict(base.clone(), &[Match { target: 500, base: 0, length: 4_000 }], hint) == base);
    }
}

fn any_matches(length: u64) -> impl Strategy<Value = Vec<Match>> {
    let one = (0..length, 0..3_000_u64, 0..1_u64 << 20).prop_map(move |(base, most, target)| Match {
        target,
        base,
        length: most.min(length - base),
    });
    proptest::collection::vec(one, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn damaged_programs_are_predicted_without_a_failure(
        machine in prop_oneof![Just(X86_64), Just(AARCH64), Just(I386), any::<u16>()],
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        in_headers in any::<bool>(),
        found in any_matches(4_000),
        hint in prop_oneof![Just(None), proptest::collection::vec(any::<u8>(), 0..60).prop_map(Some)],
    ) {
        let (mut base, target) = (program(machine, 0), program(machine, 48));
        for (at, byte) in damage {
            // The tables that say where all else is stand at both ends.
            let at = if in_headers { at.index(1_200) } else { at.index(base.len()) };
            let length = base.len();
            base[if at < 150 { at } else { length - 1 - at.min(length - 1) }] = byte;
        }
        let hint = hint.or(describe(&base, &target).unwrap()).unwrap_or_default();
        let predicted = predict(base.clone(), &found, &hint);
        prop_assert_eq!(predicted.len(), base.len());
        prop_assert!(predicted == predict(base.clone(), &found, &hint));
        prop_assert_eq!(predict(base[..base.len() / 2].to_vec(), &[], &hint).len(), base.len() / 2);
    }

    #[test]
    fn damaged_go_programs_are_predicted_without_a_failure(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        place in 0..3_usize,
        found in any_matches(4_000),
    ) {
        let (mut base, target) = (go_program(0), go_program(48));
        let hint = describe(&base, &target).unwrap().unwrap();
        // The headers; what stands before the tables of Go, which becomes types; the tables and the module's data.
        let (start, length) = [(0, 120), (128, 4_096), (4_224, base.len() - 4_224)][place];
        for (at, byte) in damage {
            base[start + at.index(length)] = byte;
        }
        prop_assert_eq!(predict(base.clone(), &found, &hint).len(), base.len());
    }
}
