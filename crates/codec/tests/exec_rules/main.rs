//! Each rule of FORMAT.md, section 10, by the smallest program that shows it: what moves, by how much, and what stays.
//!
//! In all of them what stands before a section called `.later` stays where it is, and from there on all moves by [`SHIFT`].

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;

mod code;
mod frames;
mod go;
mod headers;
mod jumps;
mod parts;
mod tables;

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
        Self::edited(machine, before, later, behind, &HINT, &|_| ())
    }

    /// The same with another hint, of a program of which `edit` made another one.
    fn edited(
        machine: u16,
        before: Vec<Row>,
        later: Row,
        behind: Vec<Row>,
        hint: &[u8],
        edit: &dyn Fn(&mut Vec<u8>),
    ) -> Self {
        let sections =
            before.into_iter().chain([(".later", later.1, later.2, later.3, later.4)]).chain(behind).collect();
        let mut base = Program { machine, address: ADDRESS, sections }.bytes();
        edit(&mut base);
        let matches = matches(&base);
        Self { predicted: predict(base.clone(), &matches, hint), base }
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

/// What says that all from `.later` on moved.
fn matches(base: &[u8]) -> [Match; 2] {
    let split = place(base, ".later").start as u64;
    [
        Match { target: 0, base: 0, length: split },
        Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
    ]
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

/// Numbers of 32 bits.
fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The difference of two addresses, as 32 bits.
fn offset(to: u64, from: u64) -> [u8; 4] {
    *to.wrapping_sub(from).to_le_bytes().first_chunk().unwrap()
}

fn distance(to: u64, from: u64) -> u32 {
    u32::try_from(to - from).unwrap()
}

/// A row of the program headers: type, flags, offset, address, size in the file, size in memory.
type Part = (u32, u32, u64, u64, u64, u64);

/// Gives a program these parts in the place of those that it has, in a table behind all else.
fn with_parts(program: &mut Vec<u8>, parts: &[Part]) {
    let is_64 = program[4] == 2;
    let (word, table_at, count_at) = if is_64 { (8, 32, 56) } else { (4, 28, 44) };
    let table = program.len().to_le_bytes();
    program[table_at..table_at + word].copy_from_slice(&table[..word]);
    program[count_at..count_at + 2].copy_from_slice(&u16::try_from(parts.len()).unwrap().to_le_bytes());
    for (kind, flags, offset, address, in_file, in_memory) in parts {
        let words = [offset, address, address, in_file, in_memory].map(|number| number.to_le_bytes()[..word].to_vec());
        let (words, align) = (words.concat(), vec![0; word]);
        let [kind, flags] = [kind, flags].map(|number| number.to_le_bytes().to_vec());
        program.extend(if is_64 { [kind, flags, words, align] } else { [kind, words, flags, align] }.concat());
    }
}
