use super::*;

#[test]
fn a_block_header_has_its_size_its_type_and_whether_it_is_the_last() {
    for (kind, number) in [(Type::Raw, 0), (Type::Run, 1), (Type::Compressed, 2)] {
        for (size, last) in [(0, false), (1, true), (0x1f_ffff, true), (128 << 10, false)] {
            let mut out = b"before".to_vec();
            header(kind, size, last, &mut out);
            let written = u32::from_le_bytes([out[6], out[7], out[8], 0]);
            assert_eq!(written, u32::from(last) | number << 1 | narrow(size) << 3, "{size}");
            assert_eq!(out.len(), 9);
        }
    }
}

/// The kind, the format and the number of literals in a header of literals as they are (RFC 8878, 3.1.1.3.1.1).
fn plain_parts(kind: u32, literals: usize) -> (u32, u32, u32, usize) {
    let mut out = Vec::new();
    push_plain_header(kind, literals, &mut out);
    let value = out.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
    let format = value >> 2 & 3;
    let number = if format & 1 == 0 { value >> 3 } else { value >> 4 };
    (value & 3, if format & 1 == 0 { 0 } else { format }, number, out.len())
}

#[test]
fn a_header_of_plain_literals_is_as_long_as_their_number_asks_for() {
    for kind in [0, 1] {
        for (literals, format, bytes) in
            [(0, 0, 1), (15, 0, 1), (16, 1, 2), (0x7ff, 1, 2), (0x800, 3, 3), (0xf_ffff, 3, 3)]
        {
            assert_eq!(plain_parts(kind, literals), (kind, format, narrow(literals), bytes), "{literals}");
        }
    }
}

#[test]
fn a_header_of_packed_literals_has_both_sizes() {
    for (literals, streams, format, bytes, width) in [
        (1, 1, 0, 3, 10),
        (0x3ff, 1, 0, 3, 10),
        (0x3ff, 4, 1, 3, 10),
        (0x400, 4, 2, 4, 14),
        (0x3fff, 4, 2, 4, 14),
        (0x4000, 4, 3, 5, 18),
        (0x2_0000, 4, 3, 5, 18),
    ] {
        for kind in [2, 3] {
            let mut out = vec![0xaa; 8];
            let size = literals - literals / 3;
            set_packed_header(&mut out, kind, (literals, size), streams);
            assert_eq!(packed_header_size(literals), bytes);
            assert_eq!(out[bytes..], [0xaa; 8][bytes..]);
            let value = out[..bytes].iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            let mask = (1 << width) - 1;
            let parts = (value & 3, value >> 2 & 3, value >> 4 & mask, value >> (4 + width) & mask);
            assert_eq!(parts, (kind, format, literals as u64, size as u64), "{literals}");
        }
    }
}

#[test]
fn a_run_is_one_match_with_the_byte_before() {
    let parsed = |literals: &[u8], sequences: Vec<Sequence>| Parsed { literals: literals.to_vec(), sequences };
    let sequence = |literals, offset| Sequence { literals, matched: 97, offset };
    for (literals, sequences, length) in [
        (&b"x"[..], vec![sequence(1, 4)], Some(101)),
        (b"", vec![sequence(0, 4)], Some(100)),
        (b"xy", vec![sequence(2, 4)], None),
        // Literals behind the match, another distance, and two matches.
        (b"x", vec![sequence(0, 4)], None),
        (b"x", vec![sequence(1, 5)], None),
        (b"x", vec![sequence(1, 1)], None),
        (b"x", vec![sequence(1, 4), sequence(0, 4)], None),
        (b"x", vec![], None),
    ] {
        assert_eq!(run(&parsed(literals, sequences)), length, "{}", literals.escape_ascii());
    }
}

/// As from 1.20 on, on the highest levels.
const LATE: Rules = Rules {
    full_literals_raw: false,
    literals_raw: false,
    literals_min: 17,
    headers_counted: true,
    saved_shift: 6,
    runs: true,
    exact_tables: true,
};

/// Literals, and a match of so many bytes behind them.
fn with_match(literals: &[u8], matched: usize) -> (Vec<u8>, Parsed) {
    let block: Vec<u8> = [literals, &vec![literals[0]; matched]].concat();
    let sequence = Sequence { literals: narrow(literals.len()), matched: narrow(matched) - MATCH_MIN, offset: 200 };
    (block, Parsed { literals: literals.to_vec(), sequences: vec![sequence] })
}

fn packed(blocks: &mut Blocks, (block, parsed): &(Vec<u8>, Parsed)) -> Vec<u8> {
    let mut out = Vec::new();
    blocks.pack(block, parsed, false, &mut out);
    let size = match out[0] >> 1 & 3 {
        1 => 1,
        _ => out.len() - 3,
    };
    assert_eq!(out.len() - 3, size);
    out
}

/// The type of a block, and the kind of its literals and their format where it is packed.
fn kinds(out: &[u8]) -> (u8, Option<(u8, u8)>) {
    let kind = out[0] >> 1 & 3;
    (kind, (kind == 2).then(|| (out[3] & 3, out[3] >> 2 & 3)))
}

fn few(count: usize) -> Vec<u8> {
    crate::noise::noise(1, count).into_iter().map(|byte| byte & byte >> 3 & 15).collect()
}

#[test]
fn matches_must_save_a_share_of_the_block_and_16_bytes() {
    // Of 640 bytes a 64th is 10, a 32nd 20.
    for (saved_shift, literals, is_used) in [(6, 614, true), (6, 615, false), (5, 604, true), (5, 605, false)] {
        let mut blocks = Blocks::new(Rules { saved_shift, literals_raw: true, ..LATE }, 128 << 10);
        let out = packed(&mut blocks, &with_match(&crate::noise::noise(2, literals), 640 - literals));
        assert_eq!(kinds(&out).0, if is_used { 2 } else { 0 }, "{saved_shift}: {literals}");
    }
}

#[test]
fn few_literals_are_not_packed() {
    for (literals_min, count, kind) in [(17, 16, 0), (17, 17, 1), (33, 32, 0), (33, 33, 1)] {
        let mut blocks = Blocks::new(Rules { literals_min, runs: false, ..LATE }, 128 << 10);
        // All alike, so that they are said once where they are looked at.
        let out = packed(&mut blocks, &with_match(&vec![b'x'; count], 500));
        assert_eq!(kinds(&out).1.map(|(kind, _)| kind), Some(kind), "{literals_min}: {count}");
    }
}

#[test]
fn many_literals_have_four_streams() {
    for (count, format) in [(1023, 0), (1024, 2), (16_383, 2), (16_384, 3)] {
        let mut blocks = Blocks::new(LATE, 128 << 10);
        let out = packed(&mut blocks, &with_match(&few(count), 5000));
        assert_eq!(kinds(&out), (2, Some((2, format))), "{count}");
    }
}

#[test]
fn a_table_is_said_once_until_a_block_goes_out_in_another_way() {
    let mut blocks = Blocks::new(LATE, 128 << 10);
    let usual = with_match(&few(2000), 5000);
    let treeless = |blocks: &mut Blocks| kinds(&packed(blocks, &usual)).1.unwrap().0 == 3;
    assert_eq!([treeless(&mut blocks), treeless(&mut blocks)], [false, true]);
    // Noise with a match that saves nothing is raw, but the table was not touched.
    let raw = with_match(&crate::noise::noise(3, 700), 3);
    assert_eq!(kinds(&packed(&mut blocks, &raw)).0, 0);
    assert!(treeless(&mut blocks));
    // Packed, and yet longer than the block: raw in the end, so that a decoder would not know what was packed.
    let many = |count: usize| -> (Vec<u8>, Parsed) {
        let literals = crate::noise::noise(4, 40 * count);
        let sequence = |at: u32| Sequence { literals: 40, matched: 1, offset: (1 << (24 + at % 2)) + at * 7919 };
        (vec![1; 44 * count], Parsed { literals, sequences: (0..narrow(count)).map(sequence).collect() })
    };
    assert_eq!(kinds(&packed(&mut blocks, &many(50))).0, 0);
    assert_eq!([treeless(&mut blocks), treeless(&mut blocks)], [false, true]);
}

#[test]
fn a_block_without_matches_is_raw_where_the_rules_say() {
    let block = |count: usize| (few(count), Parsed { literals: few(count), sequences: vec![] });
    let kind = |rules, size, count| kinds(&packed(&mut Blocks::new(rules, size), &block(count))).0;
    assert_eq!([31, 32, 33].map(|count| kind(Rules { literals_min: 1, ..LATE }, 1000, count)), [0, 2, 2]);
    assert_eq!(kind(Rules { literals_raw: true, ..LATE }, 1000, 900), 0);
    // In the first version, when it has the full size.
    let early = Rules { full_literals_raw: true, ..LATE };
    assert_eq!([999, 1000, 1001].map(|count| kind(early, 1000, count)), [2, 0, 2]);
    let run = (vec![7; 100], Parsed { literals: vec![7; 100], sequences: vec![] });
    assert_eq!(packed(&mut Blocks::new(LATE, 1000), &run), [2 | (100 & 31) << 3, (100 >> 5), 0, 7]);
    let noise = crate::noise::noise(5, 500);
    assert_eq!(
        kinds(&packed(&mut Blocks::new(LATE, 1000), &(noise.clone(), Parsed { literals: noise, sequences: vec![] }))).0,
        0
    );
}

#[test]
fn a_run_is_a_block_of_its_own_in_later_versions() {
    let sequence = Sequence { literals: 1, matched: 996, offset: 4 };
    let block = (vec![9; 1000], Parsed { literals: vec![9], sequences: vec![sequence] });
    for (runs, kind) in [(true, 1), (false, 2)] {
        let out = packed(&mut Blocks::new(Rules { runs, ..LATE }, 128 << 10), &block);
        assert_eq!(kinds(&out).0, kind);
        assert!(!runs || out[1..] == [31, 0, 9]);
    }
}

#[test]
fn literals_alone_have_no_sequences() {
    let block = (few(2000), Parsed { literals: few(2000), sequences: vec![] });
    let out = packed(&mut Blocks::new(LATE, 128 << 10), &block);
    assert_eq!((kinds(&out).0, out.last()), (2, Some(&0)));
    let size = u32::from_le_bytes([out[0], out[1], out[2], 0]) >> 3;
    assert_eq!(size as usize, out.len() - 3);
}
