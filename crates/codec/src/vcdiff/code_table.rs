//! The default code table (RFC 3284, 5.6): what each of the 256 instruction bytes means.

use std::sync::LazyLock;

/// One half of an instruction byte; a size of 0 follows as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    None,
    Run,
    Add(u8),
    Copy { size: u8, mode: u8 },
}

/// Address modes of the default table: itself, relative to here, four near, three same.
pub(super) const MODES: u8 = 9;

/// The two halves of each instruction byte.
pub(super) static TABLE: LazyLock<Vec<[Instruction; 2]>> = LazyLock::new(table);

/// The byte for one ADD of `size`; with 0 the size follows.
pub(super) const fn add(size: u8) -> u8 {
    1 + size
}

/// The byte for one COPY; with `size` 0 the size follows, else it is 4 to 18.
pub(super) const fn copy(size: u8, mode: u8) -> u8 {
    19 + 16 * mode + size.saturating_sub(3)
}

/// The byte for ADD and then COPY, where there is one.
pub(super) fn add_then_copy(add: u64, copy: u64, mode: u8) -> Option<u8> {
    let (add, copy) = (u8::try_from(add).ok()?, u8::try_from(copy).ok()?);
    match (add, copy, mode) {
        (1..=4, 4..=6, 0..=5) => Some(163 + 12 * mode + 3 * (add - 1) + (copy - 4)),
        (1..=4, 4, 6..=8) => Some(235 + 4 * (mode - 6) + (add - 1)),
        _ => None,
    }
}

/// The byte for COPY and then ADD, where there is one.
pub(super) const fn copy_then_add(copy: u64, mode: u8, add: u64) -> Option<u8> {
    if copy == 4 && add == 1 { Some(247 + mode) } else { None }
}

fn table() -> Vec<[Instruction; 2]> {
    use Instruction::{Add, Copy, None, Run};
    let mut table = vec![[Run, None]];
    table.extend((0..=17).map(|size| [Add(size), None]));
    for mode in 0..MODES {
        table.push([Copy { size: 0, mode }, None]);
        table.extend((4..=18).map(|size| [Copy { size, mode }, None]));
    }
    for mode in 0..MODES {
        let longest = if mode < 6 { 6 } else { 4 };
        for add in 1..=4 {
            table.extend((4..=longest).map(|size| [Add(add), Copy { size, mode }]));
        }
    }
    table.extend((0..MODES).map(|mode| [Copy { size: 4, mode }, Add(1)]));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_byte_and_the_functions_agree_with_it() {
        use Instruction::{Add, Copy, None};
        assert_eq!(TABLE.len(), 256);
        for (byte, entry) in TABLE.iter().enumerate() {
            let found = match *entry {
                [Add(size), None] => add(size),
                [Copy { size, mode }, None] => copy(size, mode),
                [Add(add), Copy { size, mode }] => add_then_copy(add.into(), size.into(), mode).unwrap(),
                [Copy { size, mode }, Add(add)] => copy_then_add(size.into(), mode, add.into()).unwrap(),
                _ => 0,
            };
            assert_eq!(usize::from(found), byte, "{entry:?}");
        }
    }
}
