//! Executables: predicts the addresses that moved.
//!
//! When a program is built again, most of the bytes that changed are addresses of what moved. The matches of a patch say
//! where each part of the base went, and both sides have them before the residual. So every address in the base that can be
//! found is replaced by the one at which that place is in the target, and the residual is taken from the result. A wrong guess costs
//! some bytes of residual; nothing is disassembled, and nothing can fail: what does not parse stays as it stands.
//!
//! What is said here is part of the package format, as the predictor `exec-1`; for large executables it is `exec-2`.
//!
//! # The map
//!
//! For each offset in the base there is one in the target (`moves`). Offsets and addresses are turned into each other by the
//! loaded parts (`PT_LOAD`) of each file, the first that has the offset or address; those of the target are in the hint. What is in
//! memory but not in the file moves as the section `.bss` does.
//!
//! # The hint
//!
//! Numbers are those of RFC 3284, section 2. The number of loaded parts of the target; for each its offset, address, size in
//! the file and size in memory; the address of the target's `.bss`, or 0. Each but the first number is the difference to
//! the base's at the same place (to 0 where it has none), and written as `2n` when it is not negative, else as `-2n - 1`.
//!
//! # What is predicted
//!
//! In this order, each from the base as it stands: headers, then the sections in the order of their headers, by name and type,
//! then the tables of Go; see the modules.

mod aarch64;
mod debug;
mod elf;
mod go;
mod moves;
mod output;
mod space;
mod tables;
mod unwind;
mod x86;

use std::io;

use crate::ReadAt;
use crate::align::Match;
use crate::limits::PREDICTED_BYTES_LARGE;
use elf::{Elf, Machine, Section};
use moves::Moves;
use output::{Output, Written};
use space::{Layout, Space};

const PROGRAM: u32 = 1;
const SYMBOLS: u32 = 2;
const WITH_ADDENDS: u32 = 4;
const DYNAMIC: u32 = 6;
const WITHOUT_ADDENDS: u32 = 9;
const DYNAMIC_SYMBOLS: u32 = 11;
const STARTERS: u32 = 14;
const ENDERS: u32 = 15;
const RELATIVE: u32 = 19;

/// What the receiver must be told of `target`; `None` when the two are no executables for the same processor, or larger than
/// [`PREDICTED_BYTES_LARGE`].
///
/// # Errors
/// What reading reports.
pub fn describe(base: &dyn ReadAt, target: &dyn ReadAt) -> io::Result<Option<Vec<u8>>> {
    if !starts_like_one(base)? || !starts_like_one(target)? {
        return Ok(None);
    }
    let (base, target) = (all(base)?, all(target)?);
    let (Some(base), Some(target)) = (Elf::parse(&base), Elf::parse(&target)) else { return Ok(None) };
    let is_alike = base.machine == target.machine && base.word == target.word;
    Ok(is_alike.then(|| Layout::of(&target).to_bytes(&Layout::of(&base))))
}

/// The base with the addresses that `matches` and the hint of [`describe`] give: as many bytes as `base` has.
pub fn predict(base: Vec<u8>, matches: &[Match], hint: &[u8]) -> Vec<u8> {
    match written(&base, matches, hint) {
        Some(written) => written.over(base),
        None => base,
    }
}

fn written(base: &[u8], matches: &[Match], hint: &[u8]) -> Option<Written> {
    let elf = Elf::parse(base)?;
    let target = Layout::from_bytes(hint, &Layout::of(&elf))?;
    let moves = Moves::new(matches, base.len() as u64);
    let space = Space::new(&elf, &moves, &target);
    let mut output = Output::new(base, &space);
    let starts = if elf.machine == Machine::X86_64 { x86::table_starts(&elf, &space) } else { Vec::new() };
    tables::headers(&mut output, &elf, &target);
    for section in &elf.sections {
        self::section(&mut output, &elf, section, &starts);
    }
    go::predict(&mut output, &elf);
    Some(output.finish())
}

/// The sections of an executable that have bytes, with where they stand, for tools that look into patches; none for other bytes.
pub fn sections(bytes: &[u8]) -> Vec<(String, std::ops::Range<usize>)> {
    let elf = Elf::parse(bytes);
    let sections = elf.iter().flat_map(|elf| &elf.sections).filter(|section| section.size > 0);
    sections.map(|one| (String::from_utf8_lossy(one.name).into_owned(), one.offset..one.end())).collect()
}

fn section(output: &mut Output<'_>, elf: &Elf<'_>, section: &Section<'_>, starts: &[u64]) {
    match section.kind {
        SYMBOLS | DYNAMIC_SYMBOLS => tables::symbols(output, elf, section),
        WITH_ADDENDS => tables::relocations(output, elf, section, true),
        WITHOUT_ADDENDS => tables::relocations(output, elf, section, false),
        RELATIVE => tables::relative(output, elf, section),
        DYNAMIC => tables::dynamic(output, elf, section),
        STARTERS | ENDERS => tables::words(output, elf, section),
        PROGRAM if elf.word == 8 && section.name.starts_with(b".debug_") => debug::predict(output, section),
        _ if !section.is_loaded => {}
        _ if section.name == b".eh_frame_hdr" => unwind::header(output, section),
        _ if section.name == b".eh_frame" => unwind::frames(output, section),
        PROGRAM if section.is_code => match elf.machine {
            Machine::X86_64 => x86::predict(output, section, true),
            Machine::I386 => x86::predict(output, section, false),
            Machine::AArch64 => aarch64::predict(output, section),
            Machine::Other => {}
        },
        PROGRAM if section.name.starts_with(b".got") => tables::words(output, elf, section),
        // A small number is an address only where the lowest address is not small.
        PROGRAM if elf.is_fixed => tables::words(output, elf, section),
        PROGRAM if !section.is_written => tables::jump_tables(output, section, starts),
        _ => {}
    }
}

fn starts_like_one(bytes: &dyn ReadAt) -> io::Result<bool> {
    let mut magic = [0; 4];
    Ok(bytes.len() <= PREDICTED_BYTES_LARGE && bytes.read_at(&mut magic, 0)? == 4 && magic == *b"\x7fELF")
}

fn all(bytes: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let mut held = vec![0; usize::try_from(bytes.len()).map_err(io::Error::other)?];
    bytes.read_exact_at(&mut held, 0)?;
    Ok(held)
}
