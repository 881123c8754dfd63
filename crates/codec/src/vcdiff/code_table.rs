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
    use super::Instruction::{Add, Copy, None, Run};
    use super::*;

    /// The rows of RFC 3284, 5.6: from which byte on, and what the first and the last byte of it are.
    const ROWS: [(usize, [Instruction; 2], usize, [Instruction; 2]); 23] = [
        (0, [Run, None], 0, [Run, None]),
        (1, [Add(0), None], 18, [Add(17), None]),
        (19, [of(0, 0), None], 34, [of(18, 0), None]),
        (35, [of(0, 1), None], 50, [of(18, 1), None]),
        (51, [of(0, 2), None], 66, [of(18, 2), None]),
        (67, [of(0, 3), None], 82, [of(18, 3), None]),
        (83, [of(0, 4), None], 98, [of(18, 4), None]),
        (99, [of(0, 5), None], 114, [of(18, 5), None]),
        (115, [of(0, 6), None], 130, [of(18, 6), None]),
        (131, [of(0, 7), None], 146, [of(18, 7), None]),
        (147, [of(0, 8), None], 162, [of(18, 8), None]),
        (163, [Add(1), of(4, 0)], 174, [Add(4), of(6, 0)]),
        (175, [Add(1), of(4, 1)], 186, [Add(4), of(6, 1)]),
        (187, [Add(1), of(4, 2)], 198, [Add(4), of(6, 2)]),
        (199, [Add(1), of(4, 3)], 210, [Add(4), of(6, 3)]),
        (211, [Add(1), of(4, 4)], 222, [Add(4), of(6, 4)]),
        (223, [Add(1), of(4, 5)], 234, [Add(4), of(6, 5)]),
        (235, [Add(1), of(4, 6)], 238, [Add(4), of(4, 6)]),
        (239, [Add(1), of(4, 7)], 242, [Add(4), of(4, 7)]),
        (243, [Add(1), of(4, 8)], 246, [Add(4), of(4, 8)]),
        (247, [of(4, 0), Add(1)], 247, [of(4, 0), Add(1)]),
        (251, [of(4, 4), Add(1)], 251, [of(4, 4), Add(1)]),
        (255, [of(4, 8), Add(1)], 255, [of(4, 8), Add(1)]),
    ];

    const fn of(size: u8, mode: u8) -> Instruction {
        Copy { size, mode }
    }

    #[test]
    fn the_table_is_that_of_the_rfc() {
        assert_eq!(TABLE.len(), 256);
        for (first, starts_with, last, ends_with) in ROWS {
            assert_eq!(TABLE[first], starts_with, "{first}");
            assert_eq!(TABLE[last], ends_with, "{last}");
        }
        // Within a row of two, the size of the copy counts up before that of the add.
        assert_eq!(TABLE[164], [Add(1), of(5, 0)]);
        assert_eq!(TABLE[166], [Add(2), of(4, 0)]);
        assert_eq!(TABLE[20], [of(4, 0), None]);
    }

    #[test]
    fn the_functions_agree_with_the_table() {
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

    #[test]
    fn what_shares_a_byte_in_no_row_of_the_table_does_not() {
        let rows = || TABLE.iter();
        for mode in 0..MODES {
            for (first, second) in (0..20).flat_map(|first| (0..20).map(move |second| (first, second))) {
                let added_first = rows().any(|row| *row == [Add(first), of(second, mode)] && first > 0 && second > 0);
                let copied_first = rows().any(|row| *row == [of(first, mode), Add(second)] && first > 0 && second > 0);
                assert_eq!(add_then_copy(first.into(), second.into(), mode).is_some(), added_first, "{first} {second}");
                assert_eq!(copy_then_add(first.into(), mode, second.into()).is_some(), copied_first);
            }
        }
        assert_eq!(add_then_copy(257, 4, 0), Option::None);
        assert_eq!(add_then_copy(1, 260, 0), Option::None);
    }
}
