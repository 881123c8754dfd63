use proptest::prelude::*;

use super::super::columns::COLUMNS;
use super::*;
use crate::error::Kind;

type Change = fn(&mut tar::Header);

fn header(change: Change) -> Block {
    let mut header = tar::Header::new_ustar();
    header.set_path("usr/lib/libx.so.1").unwrap();
    header.set_mode(0o644);
    header.set_mtime(1_700_000_000);
    header.set_size(1_000);
    change(&mut header);
    header.set_cksum();
    *header.as_bytes()
}

/// The bytes of all columns for `blocks`, each coded against the first; they are seen to come back.
fn coded(blocks: &[(Block, u64)]) -> usize {
    let base = header(|_| ());
    let mut columns = Columns::new();
    let mut state = HeaderState::new();
    blocks.iter().for_each(|(block, length)| state.encode(block, Some(&base), *length, &mut columns));
    let bytes = written(&columns);
    let mut reader = ColumnReader::new(&bytes, 0).unwrap();
    let mut state = HeaderState::new();
    for (block, length) in blocks {
        assert_eq!(state.decode(Some(&base), *length, &mut reader).unwrap(), *block);
    }
    assert!(reader.is_at_end());
    bytes.len() - COLUMNS
}

fn written(columns: &Columns) -> Vec<u8> {
    let mut bytes = Vec::new();
    columns.write(&mut bytes).unwrap();
    bytes
}

/// What the columns that `fill` writes make of `base`, for a content of `length` bytes.
fn decoded(base: Option<&Block>, length: u64, fill: impl FnOnce(&mut Columns)) -> Result<Block> {
    let mut columns = Columns::new();
    fill(&mut columns);
    let bytes = written(&columns);
    let mut reader = ColumnReader::new(&bytes, 0)?;
    let block = HeaderState::new().decode(base, length, &mut reader)?;
    assert!(reader.is_at_end(), "more was written than is read");
    Ok(block)
}

fn refused(base: Option<&Block>, fill: impl FnOnce(&mut Columns)) -> String {
    let error = decoded(base, 0, fill).unwrap_err();
    assert_eq!(error.kind(), Kind::Content, "{error}");
    error.to_string()
}

/// `like` with other bytes at `place`, and the checksum that then is right.
fn with(like: &Block, place: Field, bytes: &[u8]) -> Block {
    let mut block = *like;
    block[place].copy_from_slice(bytes);
    let sum = checksum(&block);
    block[CHECKSUM].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    block
}

#[test]
fn only_what_differs_is_written() {
    let changes: [(Change, u64, usize); 6] = [
        (|_| (), 1_000, 1),
        (|header| header.set_size(5), 5, 1),
        (|header| header.set_mtime(1_700_000_001), 1_000, 6),
        (|header| header.set_mode(0o755), 1_000, 3),
        (|header| header.set_path("usr/lib/libx.so.2").unwrap(), 1_000, 20),
        (|header| header.as_mut_bytes()[REST].fill(b'r'), 1_000, 3 + 12),
    ];
    for (number, (change, length, expected)) in changes.into_iter().enumerate() {
        assert_eq!(coded(&[(header(change), length)]), expected, "{number}");
    }
}

#[test]
fn what_is_written_again_is_written_as_nothing() {
    let moved: Change = |header| header.set_mtime(1_800_000_000);
    let once = coded(&[(header(moved), 1_000)]);
    assert_eq!(coded(&[(header(moved), 1_000), (header(moved), 1_000)]), once + 2);
    let renamed: Change = |header| header.set_path("usr/lib/liby.so.22").unwrap();
    let once = coded(&[(header(renamed), 1_000)]);
    assert_eq!(coded(&[(header(renamed), 1_000), (header(renamed), 1_000)]), once + 1 + 2, "a mask and no letters");
}

#[test]
fn texts_that_take_turns_come_back() {
    let names: [Change; 4] = [
        |header| header.set_path("abc/def").unwrap(),
        |header| header.set_path("x").unwrap(),
        |header| header.set_path("abc/def").unwrap(),
        |header| header.set_path("abc").unwrap(),
    ];
    coded(&names.map(|name| (header(name), 1_000)));
}

#[test]
fn any_block_comes_back() {
    let odd: [Change; 4] = [
        |header| header.as_mut_bytes()[SIZE].copy_from_slice(b"       1750\0"),
        |header| header.as_mut_bytes()[MTIME].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
        |header| header.as_mut_bytes()[NAME].copy_from_slice(&[0xff; 100]),
        |header| header.as_mut_bytes()[LINK.start + 3] = 1,
    ];
    let mut blocks: Vec<_> = odd.into_iter().map(|change| (header(change), 7)).collect();
    blocks.push(([0; BLOCK], 0));
    blocks.push(([0xff; BLOCK], u64::MAX));
    coded(&blocks);
    blocks.reverse();
    coded(&blocks);
}

#[test]
fn the_fields_fill_the_block() {
    let mut fields: Vec<Field> = FIELDS.iter().map(|(field, _)| field.clone()).collect();
    fields.sort_by_key(|field| field.start);
    let end = fields.into_iter().fold(0, |end, field| {
        assert_eq!(field.start, end);
        field.end
    });
    assert_eq!(end, BLOCK);
}

/// FORMAT.md, section 8.3: what each bit of a mask takes from which column.
#[test]
fn each_bit_changes_its_field_alone() {
    let base = header(|_| ());
    let number = |column| move |columns: &mut Columns| columns.signed(column, 0o17);
    let text = |column| {
        move |columns: &mut Columns| {
            columns.number(Column::Shared, 0);
            columns.number(Column::Shared, 3);
            columns.bytes(column, b"a/b");
        }
    };
    let rare = |bytes: &'static [u8]| move |columns: &mut Columns| columns.bytes(Column::Rare, bytes);
    let padded = |text: &[u8], length: usize| [text, &vec![0; length - text.len()]].concat();
    type Fill = Box<dyn Fn(&mut Columns)>;
    let rows: [(Field, Vec<u8>, Fill); 15] = [
        (136..148, b"00000000017\0".to_vec(), Box::new(number(Column::Times))),
        (0..100, padded(b"a/b", 100), Box::new(text(Column::Names))),
        (124..136, b"00000001767\0".to_vec(), Box::new(|columns| columns.number(Column::Sizes, 0o17))),
        (100..108, b"0000017\0".to_vec(), Box::new(number(Column::Modes))),
        (157..257, padded(b"a/b", 100), Box::new(text(Column::Links))),
        (156..157, b"5".to_vec(), Box::new(rare(b"5"))),
        (345..500, padded(b"a/b", 155), Box::new(text(Column::Prefixes))),
        (108..116, b"0000017\0".to_vec(), Box::new(number(Column::Users))),
        (116..124, b"0000017\0".to_vec(), Box::new(number(Column::Owners))),
        (265..297, vec![7; 32], Box::new(rare(&[7; 32]))),
        (297..329, vec![8; 32], Box::new(rare(&[8; 32]))),
        (257..265, b"ustar  \0".to_vec(), Box::new(rare(b"ustar  \0"))),
        (329..337, vec![9; 8], Box::new(rare(&[9; 8]))),
        (337..345, vec![10; 8], Box::new(rare(&[10; 8]))),
        (500..512, vec![11; 12], Box::new(rare(&[11; 12]))),
    ];
    for (bit, (field, bytes, fill)) in rows.into_iter().enumerate() {
        let made = decoded(Some(&base), 1_000, |columns| {
            columns.number(Column::Masks, 1 << bit);
            fill(columns);
        });
        assert_eq!(made.unwrap(), with(&base, field, &bytes), "bit {bit}");
    }
    let odd = decoded(Some(&base), 1_000, |columns| {
        columns.number(Column::Masks, 1 << 15);
        columns.bytes(Column::Rare, b"checksum");
    });
    let mut expected = base;
    expected[CHECKSUM].copy_from_slice(b"checksum");
    assert_eq!(odd.unwrap(), expected);
    let whole = decoded(Some(&base), 1_000, |columns| {
        columns.number(Column::Masks, 1 << 16);
        columns.bytes(Column::Whole, &[3; BLOCK]);
    });
    assert_eq!(whole.unwrap(), [3; BLOCK]);
}

#[test]
fn fields_that_nobody_knows_are_refused() {
    for mask in [WHOLE + 1, WHOLE | 1 << 15, 1 << 17, u64::MAX] {
        let said = refused(None, |columns| columns.number(Column::Masks, mask));
        assert!(said.contains(&format!("a header with the unknown fields {mask:#x}")), "{said}");
    }
}

#[test]
fn what_a_mask_promises_must_be_there() {
    for bit in 0..=16 {
        let said = refused(None, |columns| columns.number(Column::Masks, 1 << bit));
        assert!(
            said.contains("a column ends too early") || said.contains("a number that does not end"),
            "{bit}: {said}"
        );
    }
    assert!(refused(None, |_| ()).contains("a number that does not end"));
}

#[test]
fn a_number_fits_into_its_field_or_is_refused() {
    let bits = [(0, 33, Column::Times), (3, 21, Column::Modes), (7, 21, Column::Users), (8, 21, Column::Owners)];
    for (bit, width, column) in bits {
        let make = |value: u64| {
            decoded(None, 0, |columns| {
                columns.number(Column::Masks, 1 << bit);
                columns.signed(column, value.cast_signed());
            })
        };
        let field = FIELDS[bit].0.clone();
        let largest = (1 << width) - 1;
        assert_eq!(octal(&make(largest).unwrap()[field]), Some(largest), "{column:?}");
        for more in [1 << width, 1 << 40, u64::MAX] {
            let error = make(more).unwrap_err().to_string();
            assert!(error.contains("a number that is longer than its field"), "{column:?} {more}: {error}");
        }
    }
}

#[test]
fn a_size_is_counted_from_the_content_and_fits_into_its_field() {
    let make = |length: u64, more: u64| {
        decoded(None, length, |columns| {
            columns.number(Column::Masks, 1 << 2);
            columns.number(Column::Sizes, more);
        })
    };
    let largest = (1 << 33) - 1;
    assert_eq!(octal(&make(5, largest - 5).unwrap()[SIZE]), Some(largest));
    assert_eq!(octal(&make(5, 0_u64.wrapping_sub(5)).unwrap()[SIZE]), Some(0), "modulo 2^64");
    assert!(make(5, largest - 4).unwrap_err().to_string().contains("a number that is longer than its field"));
}

#[test]
fn a_length_that_is_too_long_for_the_size_field_leaves_it_alone() {
    let base = header(|_| ());
    let none = |columns: &mut Columns| columns.number(Column::Masks, 0);
    let made = decoded(Some(&base), (1 << 33) - 1, none).unwrap();
    assert_eq!(&made[SIZE], b"77777777777\0");
    let made = decoded(Some(&base), 1 << 33, none).unwrap();
    assert_eq!(made[SIZE], base[SIZE]);
    assert_eq!(made, base);
}

#[test]
fn the_last_byte_of_a_number_stays_a_blank() {
    for (last, kept) in [(b' ', b' '), (0, 0), (b'7', 0), (0xff, 0)] {
        let mut field = [b'9', b'9', b'9', last];
        assert!(set_octal(&mut field, 0o777));
        assert_eq!(field, [b'7', b'7', b'7', kept]);
        let before = field;
        assert!(!set_octal(&mut field, 0o1000));
        assert_eq!(field, before, "a field that is too short is left alone");
    }
    assert!(!set_octal(&mut [], 0) && set_octal(&mut [1], 0) && !set_octal(&mut [1], 1));
}

#[test]
fn a_text_is_as_long_as_its_field_at_the_most() {
    let name = |parts: &[(u64, &[u8])]| {
        decoded(None, 0, |columns| {
            columns.number(Column::Masks, 1 << 1);
            for (shared, text) in parts {
                columns.number(Column::Shared, *shared);
                columns.number(Column::Shared, text.len() as u64);
                columns.bytes(Column::Names, text);
            }
        })
    };
    assert_eq!(name(&[(0, &[b'n'; 100])]).unwrap()[NAME], [b'n'; 100]);
    let too_long = "a text that is longer than its field";
    assert!(name(&[(0, &[b'n'; 101])]).unwrap_err().to_string().contains(too_long));
    assert!(name(&[(1, b"")]).unwrap_err().to_string().contains(too_long), "nothing came before that is shared");
    for (shared, rest) in [(u64::MAX, 0), (0, u64::MAX), (u64::MAX, u64::MAX)] {
        let said = refused(None, |columns| {
            columns.number(Column::Masks, 1 << 1);
            columns.number(Column::Shared, shared);
            columns.number(Column::Shared, rest);
        });
        assert!(said.contains(too_long), "{said}");
    }
}

#[test]
fn a_text_goes_on_from_the_last_one_of_its_field() {
    let mut columns = Columns::new();
    let mut text = |column, shared: u64, rest: &[u8]| {
        columns.number(Column::Masks, if column == Column::Names { 1 << 1 } else { 1 << 4 });
        columns.number(Column::Shared, shared);
        columns.number(Column::Shared, rest.len() as u64);
        columns.bytes(column, rest);
    };
    text(Column::Names, 0, b"usr/lib/x");
    text(Column::Links, 0, b"elsewhere");
    text(Column::Names, 8, &[b'y'; 92]);
    text(Column::Names, 4, b"");
    text(Column::Names, 4, &[b'z'; 97]);
    let bytes = written(&columns);
    let mut reader = ColumnReader::new(&bytes, 0).unwrap();
    let mut state = HeaderState::new();
    let mut next = || state.decode(None, 0, &mut reader);
    assert_eq!(trimmed(&next().unwrap()[NAME]), b"usr/lib/x");
    assert_eq!(trimmed(&next().unwrap()[LINK]), b"elsewhere");
    assert_eq!(next().unwrap()[NAME], [&b"usr/lib/"[..], &[b'y'; 92]].concat());
    assert_eq!(trimmed(&next().unwrap()[NAME]), b"usr/", "what was longer is gone");
    assert!(next().unwrap_err().to_string().contains("a text that is longer than its field"), "4 and 97 are 101");
}

#[test]
fn numbers_are_added_to_the_last_one_of_their_field() {
    let mut columns = Columns::new();
    for change in [5, 3, -8, -1] {
        columns.number(Column::Masks, 1 << 7);
        columns.signed(Column::Users, change);
        columns.number(Column::Masks, 1 << 8);
        columns.signed(Column::Owners, 1);
    }
    let bytes = written(&columns);
    let mut reader = ColumnReader::new(&bytes, 0).unwrap();
    let mut state = HeaderState::new();
    for (user, owner) in [(5, 1), (8, 2), (0, 3)] {
        assert_eq!(octal(&state.decode(None, 0, &mut reader).unwrap()[UID]), Some(user));
        assert_eq!(octal(&state.decode(None, 0, &mut reader).unwrap()[GID]), Some(owner));
    }
    assert!(state.decode(None, 0, &mut reader).is_err(), "below zero is 2^64 - 1");
}

#[test]
fn a_header_without_a_base_looks_like_the_one_before_it() {
    let [first, second] = [header(|_| ()), header(|header| header.set_mode(0o755))];
    let mut columns = Columns::new();
    let mut state = HeaderState::new();
    state.skip(&first);
    state.encode(&second, None, 1_000, &mut columns);
    state.encode(&second, None, 1_000, &mut columns);
    let bytes = written(&columns);
    assert_eq!(bytes.len() - COLUMNS, 1 + 2 + 1, "a mask with a mode, and one of nothing");
    let mut reader = ColumnReader::new(&bytes, 0).unwrap();
    let mut state = HeaderState::new();
    state.skip(&first);
    for _ in 0..2 {
        assert_eq!(state.decode(None, 1_000, &mut reader).unwrap(), second);
    }
    let none = |columns: &mut Columns| columns.number(Column::Masks, 0);
    let mut empty = [0; BLOCK];
    empty[SIZE].copy_from_slice(b"00000000000\0");
    seal(&mut empty);
    assert_eq!(decoded(None, 0, none).unwrap(), empty, "the first one looks like zeros");
}

#[test]
fn a_checksum_has_seven_digits_where_seven_were() {
    let sum = |block: &Block| format!("{:o}", checksum(block));
    let mut block = header(|_| ());
    block[CHECKSUM].copy_from_slice(b"xxxxxx\0 ");
    seal(&mut block);
    assert_eq!(&block[CHECKSUM], format!("{:0>6}\0 ", sum(&block)).as_bytes());
    block[CHECKSUM].copy_from_slice(b"xxxxxx9z");
    seal(&mut block);
    assert_eq!(&block[CHECKSUM], format!("{:0>7}z", sum(&block)).as_bytes());
    let mut full = [0xff; BLOCK];
    seal(&mut full);
    assert_eq!(octal(&full[CHECKSUM.start..CHECKSUM.start + 6]), Some(u64::from(checksum(&full))));
}

#[test]
fn odd_forms_of_numbers_make_a_whole_block() {
    let base = header(|_| ());
    for field in [b"  644 \0 ", b"000644 \0", b"0000644 ", b"00644\0\0\0"] {
        assert_eq!(coded(&[(with(&base, MODE, field), 1_000)]), 4 + BLOCK, "{}", field.escape_ascii());
    }
    // With a blank behind the number in the base, one stays there.
    let blank = with(&base, MODE, b"0000644 ");
    let moved = with(&base, MODE, b"0000755 ");
    let mut columns = Columns::new();
    HeaderState::new().encode(&moved, Some(&blank), 1_000, &mut columns);
    assert_eq!(written(&columns).len() - COLUMNS, 1 + 2);
}

/// Blocks that tar might write, and others.
fn block() -> impl Strategy<Value = Block> {
    let field = prop::sample::select(FIELDS.map(|(field, _)| field).to_vec());
    let change = (field, prop::collection::vec(any::<u8>(), 155), 0..3_u8);
    prop::collection::vec(change, 0..4).prop_map(|changes| {
        let mut block = header(|_| ());
        for (field, bytes, kind) in changes {
            let length = field.len();
            match kind {
                0 => block[field].copy_from_slice(&bytes[..length]),
                1 => block[field].iter_mut().zip(bytes).for_each(|(byte, new)| *byte = b'0' + new % 8),
                _ => block[field].fill(0),
            }
            seal(&mut block);
        }
        block
    })
}

proptest! {
    #[test]
    fn blocks_come_back_from_any_others(
        blocks in prop::collection::vec((block(), any::<bool>(), prop_oneof![0..2_000_u64, any::<u64>()]), 1..6),
        base in block(),
    ) {
        let mut columns = Columns::new();
        let mut state = HeaderState::new();
        for (block, has_base, length) in &blocks {
            state.encode(block, has_base.then_some(&base), *length, &mut columns);
        }
        let bytes = written(&columns);
        let mut reader = ColumnReader::new(&bytes, 0).unwrap();
        let mut state = HeaderState::new();
        for (block, has_base, length) in &blocks {
            prop_assert_eq!(&state.decode(has_base.then_some(&base), *length, &mut reader).unwrap()[..], &block[..]);
        }
        prop_assert!(reader.is_at_end());
    }

    #[test]
    fn any_columns_make_a_block_or_an_error(
        masks in prop::collection::vec(0..=WHOLE, 1..8),
        filler in prop::collection::vec(any::<u8>(), 200..1_500),
        length: u64,
    ) {
        let mut columns = Columns::new();
        masks.iter().for_each(|mask| columns.number(Column::Masks, *mask));
        for column in [
            Column::Times, Column::Sizes, Column::Modes, Column::Users, Column::Owners, Column::Shared, Column::Names,
            Column::Links, Column::Prefixes, Column::Rare, Column::Whole,
        ] {
            columns.bytes(column, &filler);
        }
        let bytes = written(&columns);
        let mut reader = ColumnReader::new(&bytes, 0).unwrap();
        let mut state = HeaderState::new();
        for _ in masks {
            match state.decode(None, length, &mut reader) {
                Ok(_) => {}
                Err(error) => {
                    prop_assert_eq!(error.kind(), Kind::Content);
                    break;
                }
            }
        }
    }
}
