use proptest::prelude::*;

use super::*;
use crate::error::Kind;

const ALL: [Column; COLUMNS] = [
    Column::Runs,
    Column::Headers,
    Column::Kinds,
    Column::Contents,
    Column::Lengths,
    Column::Groups,
    Column::Paddings,
    Column::Masks,
    Column::Times,
    Column::Sizes,
    Column::Modes,
    Column::Users,
    Column::Owners,
    Column::Shared,
    Column::Names,
    Column::Links,
    Column::Prefixes,
    Column::Rare,
    Column::Whole,
    Column::Plans,
    Column::Hints,
];

fn written(fill: impl FnOnce(&mut Columns)) -> Vec<u8> {
    let mut columns = Columns::new();
    fill(&mut columns);
    let mut bytes = Vec::new();
    columns.write(&mut bytes).unwrap();
    bytes
}

fn said<T>(result: Result<T>) -> String {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), Kind::Content, "{error}");
    error.to_string()
}

/// The number at the start of `bytes`, of which it may have the first `end`, and how many it took.
fn number(bytes: &[u8], end: u64) -> Result<(u64, u64)> {
    let held = bytes.to_vec();
    let mut position = 0;
    number_at(&mut Window::new(&held, HELD), &mut position, end).map(|number| (number, position))
}

#[test]
fn numbers_come_back() {
    let numbers = [0, 1, 127, 128, 1 << 35, u64::MAX];
    let signed = [0, -1, 1, i64::MIN, i64::MAX];
    let bytes = written(|columns| {
        numbers.iter().for_each(|value| columns.number(Column::Runs, *value));
        signed.iter().for_each(|value| columns.signed(Column::Whole, *value));
        columns.bytes(Column::Names, b"name");
    });
    let bytes = [b"head", &bytes[..]].concat();
    let mut reader = ColumnReader::new(&bytes, 4).unwrap();
    assert_eq!(numbers, numbers.map(|_| reader.number(Column::Runs).unwrap()));
    assert_eq!(signed, signed.map(|_| reader.signed(Column::Whole).unwrap()));
    let mut name = [0; 4];
    reader.bytes(Column::Names, &mut name).unwrap();
    assert!(&name == b"name" && reader.is_at_end());
    assert!(said(reader.number(Column::Runs)).contains("a number that does not end"));
    assert!(said(reader.bytes(Column::Names, &mut name)).contains("a column ends too early"));
}

#[test]
fn numbers_have_the_bytes_of_dwarf() {
    let largest = [&[0xff; 9][..], &[1]].concat();
    for (value, bytes) in [
        (0, &[0][..]),
        (127, &[0x7f]),
        (128, &[0x80, 1]),
        (624_485, &[0xe5, 0x8e, 0x26]),
        (u64::MAX >> 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        (u64::MAX, &largest),
    ] {
        let mut out = Vec::new();
        push_number(&mut out, value);
        assert_eq!(out, bytes, "{value}");
        let length = bytes.len() as u64;
        let more = [bytes, &[0x55; 12]].concat();
        assert_eq!(number(&more, more.len() as u64).unwrap(), (value, length), "what follows is another's");
        assert_eq!(number(&more, length).unwrap(), (value, length));
        for end in 0..length {
            assert!(said(number(&more, end)).contains("a number that does not end"), "{value} cut at {end}");
        }
    }
}

#[test]
fn a_number_has_at_most_sixty_four_bits_and_ten_bytes() {
    let ten = |last: u8| [&[0x80; 9][..], &[last]].concat();
    assert_eq!(number(&ten(0), 10).unwrap(), (0, 10), "a number may be longer than it need be");
    assert_eq!(number(&ten(1), 10).unwrap(), (1 << 63, 10));
    for last in [2, 3, 0x7f, 0x80, 0x81, 0xff] {
        let eleven = [&ten(last)[..], &[0]].concat();
        assert!(said(number(&eleven, 11)).contains("a number that does not end"), "{last:#x}");
    }
}

#[test]
fn signed_numbers_are_folded_at_zero() {
    for (value, folded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (2, 4), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
        assert_eq!((zigzag(value), unzigzag(folded)), (folded, value));
    }
}

#[test]
fn each_column_is_read_from_its_own_bytes() {
    let mut bytes = written(|columns| {
        for (number, column) in ALL.into_iter().enumerate() {
            columns.number(column, 1_000 + number as u64);
        }
    });
    let lengths: Vec<u8> = ALL.iter().map(|_| 2).collect();
    assert_eq!(bytes[..COLUMNS], lengths, "the lengths come first");
    let mut reader = ColumnReader::new(&bytes, 0).unwrap();
    for (number, column) in ALL.into_iter().enumerate() {
        assert!(!reader.is_at_end(), "{column:?} was not read");
        assert_eq!(reader.number(column).unwrap(), 1_000 + number as u64);
    }
    assert!(reader.is_at_end());
    bytes.push(0);
    assert!(said(ColumnReader::new(&bytes, 0).map(drop)).contains("bytes behind the last column"));
    bytes.truncate(bytes.len() - 2);
    assert!(said(ColumnReader::new(&bytes, 0).map(drop)).contains("a column is longer than the recipe"));
}

#[test]
fn lengths_of_columns_that_cannot_be_are_refused() {
    let empty = written(|_| ());
    assert_eq!(empty, [0; COLUMNS]);
    ColumnReader::new(&empty, 0).unwrap();
    for cut in 0..COLUMNS {
        assert!(said(ColumnReader::new(&empty[..cut].to_vec(), 0).map(drop)).contains("a number that does not end"));
    }
    let mut huge = Vec::new();
    push_number(&mut huge, u64::MAX);
    for column in 0..COLUMNS {
        let mut lengths = vec![vec![0]; COLUMNS];
        lengths[column].clone_from(&huge);
        let said = said(ColumnReader::new(&lengths.concat(), 0).map(drop));
        assert!(said.contains("a column is longer than the recipe"), "{column}: {said}");
    }
}

#[test]
fn numbers_across_the_pieces_that_are_held_come_back() {
    let values: Vec<u64> = (0..HELD as u64).map(|number| number.wrapping_mul(0x0101_0101_0101)).collect();
    for skipped in 0..3 {
        let bytes = written(|columns| {
            columns.bytes(Column::Times, &[1; 3][..skipped]);
            values.iter().for_each(|value| columns.number(Column::Times, *value));
        });
        let mut reader = ColumnReader::new(&bytes, 0).unwrap();
        reader.bytes(Column::Times, &mut [0; 3][..skipped]).unwrap();
        assert!(values.iter().all(|value| reader.number(Column::Times).unwrap() == *value));
        assert!(reader.is_at_end());
    }
}

#[test]
fn a_blob_is_read_up_to_what_it_may_have() {
    for length in [0, 1, HELD - 1, HELD, HELD + 1, 3 * HELD + 7] {
        let blob: Vec<u8> = (0..length).map(|at| (at % 251).to_le_bytes()[0]).collect();
        let bytes = written(|columns| columns.blob(Column::Plans, &blob));
        assert_eq!(ColumnReader::new(&bytes, 0).unwrap().blob(Column::Plans, length).unwrap(), blob);
        if let Some(less) = length.checked_sub(1) {
            let said = said(ColumnReader::new(&bytes, 0).unwrap().blob(Column::Plans, less));
            assert!(said.contains("a description is too long"), "{length}: {said}");
        }
    }
}

#[test]
fn a_blob_ends_in_its_column() {
    let bytes = |more: u64| {
        written(|columns| {
            columns.number(Column::Plans, 5 + more);
            columns.bytes(Column::Plans, b"bytes");
            columns.bytes(Column::Hints, b"of another column");
        })
    };
    assert_eq!(ColumnReader::new(&bytes(0), 0).unwrap().blob(Column::Plans, 100).unwrap(), b"bytes");
    for more in [1, 90, u64::MAX - 5] {
        let said = said(ColumnReader::new(&bytes(more), 0).unwrap().blob(Column::Plans, usize::MAX));
        assert!(said.contains("a description is too long"), "{said}");
    }
}

#[test]
fn bytes_end_in_their_column() {
    let bytes = written(|columns| {
        columns.bytes(Column::Rare, b"own");
        columns.bytes(Column::Whole, b"another's");
    });
    let mut reader = ColumnReader::new(&bytes, 0).unwrap();
    assert!(said(reader.bytes(Column::Rare, &mut [0; 4])).contains("a column ends too early"));
    let mut own = [0; 3];
    reader.bytes(Column::Rare, &mut own).unwrap();
    assert_eq!(&own, b"own", "what was refused was not taken");
    reader.bytes(Column::Rare, &mut []).unwrap();
    assert!(said(reader.bytes(Column::Rare, &mut [0; 1])).contains("a column ends too early"));
}

#[test]
fn damage_is_said_to_be_one_of_the_recipe() {
    let error = damaged("too much");
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Content, "the recipe is damaged: too much"));
    let error = reading(io::ErrorKind::PermissionDenied.into());
    assert_eq!(error.kind(), Kind::Environment);
    assert!(error.to_string().starts_with("reading a recipe: "), "{error}");
}

proptest! {
    #[test]
    fn any_number_comes_back(value: u64, behind: [u8; 3]) {
        let mut bytes = Vec::new();
        push_number(&mut bytes, value);
        let length = bytes.len() as u64;
        prop_assert_eq!(length, u64::from(64 - (value | 1).leading_zeros()).div_ceil(7));
        bytes.extend(behind);
        prop_assert_eq!(number(&bytes, bytes.len() as u64).unwrap(), (value, length));
        prop_assert_eq!(zigzag(unzigzag(value)), value);
    }
}
