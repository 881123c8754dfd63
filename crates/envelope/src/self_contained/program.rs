//! The program before a package: what it must be, and for which machine it is.

use std::io::{Read, Write};

use delta_codec::compress::{Compression, Encoder, Level};
use delta_codec::{ReadAt, Reader};
use delta_core::error::{Error, Result};

use crate::limits::{APPLIER_BYTES, PROGRAM_BYTES};

/// Stands in every program that applies packages, and in no other.
pub const MARK: &str = "docker_delta applies packages: self-contained-1";

/// What the processor of a machine is called, as `uname -m` does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    name: &'static str,
    /// Its number in ELF (System V ABI, `e_machine`).
    number: u16,
}

impl Machine {
    const ALL: [Self; 3] = [
        Self { name: "x86_64", number: 62 },
        Self { name: "aarch64", number: 183 },
        Self { name: "riscv64", number: 243 },
    ];

    /// As `uname -m` calls it.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The one of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|machine| machine.name == name)
    }

    fn of_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|machine| machine.number == number)
    }
}

/// A program that applies packages, compressed.
pub struct Applier {
    machine: Machine,
    compressed: Vec<u8>,
    needs_libraries: bool,
}

impl Applier {
    /// Reads a program, whose name is for errors.
    ///
    /// # Errors
    /// Usage errors where it is none that applies packages, and what reading reports.
    pub fn read(bytes: &dyn ReadAt, name: &str) -> Result<Self> {
        let refused = |why: &str| refused(name, why);
        if bytes.len() > PROGRAM_BYTES {
            return Err(refused(&format!("it has more than {PROGRAM_BYTES} bytes")));
        }
        let mut program = Vec::new();
        Reader::new(bytes).read_to_end(&mut program).map_err(Error::io(format!("reading {name}")))?;
        let elf = Elf::read(&program).ok_or_else(|| refused("it is no program of Linux for 64 bits"))?;
        let machine = Machine::of_number(elf.machine)
            .ok_or_else(|| refused(&format!("it is for a machine of number {}, which is not known", elf.machine)))?;
        if !contains(&program, MARK.as_bytes()) {
            return Err(refused("it is another program, or of a version that cannot do that"));
        }
        let compressed = compressed(&program).map_err(Error::io(format!("compressing {name}")))?;
        Self { machine, compressed, needs_libraries: elf.is_dynamic }.checked(name)
    }

    /// The same, unless no reader would take it.
    fn checked(self, name: &str) -> Result<Self> {
        if self.compressed.len() as u64 > APPLIER_BYTES {
            return Err(refused(name, &format!("it has more than {APPLIER_BYTES} bytes, compressed")));
        }
        Ok(self)
    }

    /// Which machines it is for.
    pub const fn machine(&self) -> Machine {
        self.machine
    }

    /// Whether it runs only where the libraries are with which it was built.
    pub const fn needs_libraries(&self) -> bool {
        self.needs_libraries
    }

    /// The program as it stands in the file, in gzip's format.
    pub(crate) fn compressed(&self) -> &[u8] {
        &self.compressed
    }
}

fn refused(name: &str, why: &str) -> Error {
    Error::usage(format!("{name} is no program that applies packages: {why}"))
        .with_hint("name docker_delta-applier or docker_delta, as they were released: --self-contained=FILE")
}

fn compressed(program: &[u8]) -> std::io::Result<Vec<u8>> {
    let level = Level::new(Compression::Gzip, 9).map_err(std::io::Error::other)?;
    let mut encoder = Encoder::new(Vec::new(), Compression::Gzip, level, None)?;
    encoder.write_all(program)?;
    encoder.finish()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// What is asked of an executable (System V ABI, chapters 4 and 5): 64 bits, little-endian.
struct Elf {
    machine: u16,
    /// Whether another program, the one that loads its libraries, must start it.
    is_dynamic: bool,
}

impl Elf {
    const INTERPRETER: u32 = 3;

    fn read(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"\x7fELF\x02\x01\x01") {
            return None;
        }
        let short = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?));
        let long = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?));
        let kind = short(16)?;
        if kind != 2 && kind != 3 {
            return None;
        }
        let (table, size, count) = (usize::try_from(long(32)?).ok()?, usize::from(short(54)?), usize::from(short(56)?));
        let mut is_dynamic = false;
        for number in 0..count {
            let at = table.checked_add(number * size)?;
            let kind = u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
            is_dynamic |= kind == Self::INTERPRETER;
        }
        Some(Self { machine: short(18)?, is_dynamic })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applier_bytes_are_made_up_to_their_limit() {
        let most = usize::try_from(APPLIER_BYTES).unwrap();
        let checked = |length: usize| {
            let applier = Applier { machine: Machine::ALL[0], compressed: vec![0; length], needs_libraries: false };
            applier.checked("it").map(|applier| applier.compressed.len()).map_err(|error| error.to_string())
        };
        assert_eq!(checked(most), Ok(most));
        let words = "it is no program that applies packages: it has more than 67108864 bytes, compressed";
        assert_eq!(checked(most + 1), Err(words.to_owned()));
    }
}
