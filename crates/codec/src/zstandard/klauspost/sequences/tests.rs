use super::*;

/// The least number of each code, from where the numbers of the one before end.
fn starts(bits: &[u32]) -> Vec<u32> {
    let mut next = 0;
    let mut start = |bits: &u32| {
        next += 1 << bits;
        next - (1 << bits)
    };
    bits.iter().map(&mut start).collect()
}

#[test]
fn every_length_has_the_code_of_the_rfc() {
    for (code, start) in (0_u8..).zip(starts(&LITERAL_BITS)) {
        assert_eq!(literal_code(start), code, "{start} literals");
        assert_eq!(literal_code(start + (1 << LITERAL_BITS[usize::from(code)]) - 1), code, "{start} literals");
    }
    for (code, start) in (0_u8..).zip(starts(&MATCH_BITS)) {
        assert_eq!(match_code(start), code, "a match of {start} and 3");
        assert_eq!(match_code(start + (1 << MATCH_BITS[usize::from(code)]) - 1), code, "a match of {start} and 3");
    }
    // Some rows of tables 16 and 17: literals 16, 64 and 65536; matches of 35, 131 and 65539 bytes.
    assert_eq!([16, 17, 63, 64, 65_536].map(literal_code), [16, 16, 24, 25, 35]);
    assert_eq!([32, 34, 128, 65_536].map(match_code), [32, 33, 43, 52]);
}

#[test]
fn an_offset_has_the_code_of_its_highest_bit() {
    for (offset, code) in [(1, 0), (2, 1), (3, 1), (4, 2), (7, 2), (8, 3), ((1 << 25) - 1, 24), (1 << 25, 25)] {
        assert_eq!(offset_code(offset), code, "{offset}");
    }
}

#[test]
fn the_predefined_distributions_fill_their_tables() {
    let sums = [
        (LITERAL_SHARES.0, &LITERAL_SHARES.1[..]),
        (OFFSET_SHARES.0, &OFFSET_SHARES.1[..]),
        (MATCH_SHARES.0, &MATCH_SHARES.1[..]),
    ];
    for (log, shares) in sums {
        assert_eq!(shares.iter().map(|share| i32::from(share.abs())).sum::<i32>(), 1 << log);
        assert!(Table::new(Shares::new(log, shares)).is_some());
    }
}

#[test]
fn a_match_costs_its_codes_and_its_extra_bits() {
    let costs = Costs::new().unwrap();
    // An offset of 1 to 3 was used before; a longer match and a farther offset cost more.
    let near = costs.of(1, 4);
    assert!(costs.of(1 << 20, 4) >= near + 20);
    assert!(costs.of(1, 3 + (1 << 16)) >= near + 16);
    assert_eq!(costs.of(8, 4), costs.of(15, 4), "one code");
    assert_eq!(costs.of(16, 4), costs.of(8, 4) + 1, "one more extra bit");
}

fn sequence(literals: u32, length: u32, offset: u32) -> Sequence {
    Sequence { literals, matched: length - MATCH_MIN, offset }
}

/// The modes of literals, offsets and matches (RFC 8878, 3.1.1.3.2.1), behind a count of one byte.
fn modes(packed: &[u8]) -> [u8; 3] {
    assert!(packed[0] < 128 && packed[1] & 3 == 0);
    [packed[1] >> 6, packed[1] >> 4 & 3, packed[1] >> 2 & 3]
}

fn packed(sequences: &mut Sequences, of: &[Sequence]) -> Vec<u8> {
    let mut out = Vec::new();
    sequences.pack(of, &mut out).unwrap();
    out
}

const PREDEFINED: u8 = 0;
const SINGLE: u8 = 1;
const DESCRIBED: u8 = 2;
const REPEAT: u8 = 3;

#[test]
fn a_count_takes_one_byte_to_three() {
    for (count, bytes) in [
        (0, &[0][..]),
        (1, &[1]),
        (127, &[127]),
        (128, &[128, 128]),
        (255, &[128, 255]),
        (256, &[129, 0]),
        (0x7eff, &[0xfe, 0xff]),
        (0x7f00, &[0xff, 0, 0]),
        (0x7f01, &[0xff, 1, 0]),
        (0x7fff, &[0xff, 0xff, 0]),
        (0x8000, &[0xff, 0, 1]),
        (0x1_7eff, &[0xff, 0xff, 0xff]),
    ] {
        let mut out = Vec::new();
        write_count(count, &mut out);
        assert_eq!(out, bytes, "{count:#x}");
    }
}

#[test]
fn codes_that_are_all_alike_are_said_once() {
    for exact in [false, true] {
        let out = packed(&mut Sequences::new(exact), &[sequence(5, 10, 100); 3]);
        assert_eq!(modes(&out), [SINGLE; 3]);
        // Literals of 5, offsets from 64 on, lengths of 10; then seven extra bits of an offset are all that there is.
        assert_eq!(out[2..5], [5, 6, 7]);
        assert_eq!(out.len(), 5 + (3 * 6 + 1_usize).div_ceil(8));
        let few =
            packed(&mut Sequences::new(exact), &[sequence(5, 10, 100), sequence(6, 10, 101), sequence(5, 10, 102)]);
        assert_eq!(modes(&few), [PREDEFINED, SINGLE, SINGLE]);
    }
}

/// Sequences of codes that the predefined tables hardly have, `count` of them.
fn unusual(count: usize) -> Vec<Sequence> {
    let number = |seed: u64| crate::noise::noise(seed, count).into_iter().map(u32::from);
    let all = number(1).zip(number(2)).zip(number(3));
    all.map(|((one, two), three)| sequence(24 + one % 200, 100 + two % 300, 1 << (20 + three % 3) | three)).collect()
}

#[test]
fn a_table_is_described_when_it_pays_and_used_again_when_that_does() {
    for exact in [false, true] {
        let mut sequences = Sequences::new(exact);
        assert_eq!(modes(&packed(&mut sequences, &unusual(4))), [PREDEFINED; 3]);
        sequences.keep();
        assert_eq!(modes(&packed(&mut sequences, &unusual(127))), [DESCRIBED; 3]);
        // The block went out in another way: it is described again.
        assert_eq!(modes(&packed(&mut sequences, &unusual(127))), [DESCRIBED; 3]);
        sequences.keep();
        for _ in 0..3 {
            assert_eq!(modes(&packed(&mut sequences, &unusual(127))), [REPEAT; 3]);
            sequences.keep();
        }
        // Behind another table nothing is left of it.
        assert_eq!(modes(&packed(&mut sequences, &[sequence(5, 10, 100); 3])), [SINGLE; 3]);
        sequences.keep();
        assert_eq!(modes(&packed(&mut sequences, &unusual(127))), [DESCRIBED; 3]);
    }
}

#[test]
fn a_table_that_lacks_a_code_is_not_used_again() {
    let mut sequences = Sequences::new(true);
    packed(&mut sequences, &unusual(127));
    sequences.keep();
    let mut other = unusual(126);
    other.push(sequence(0, 3, 8));
    assert_eq!(modes(&packed(&mut sequences, &other)), [DESCRIBED; 3]);
    // Only one of the three lacks something.
    let mut other = unusual(126);
    other.push(sequence(0, 200, 1 << 20));
    assert_eq!(modes(&packed(&mut sequences, &other)), [DESCRIBED, REPEAT, REPEAT]);
}

#[test]
fn extra_bits_stand_behind_each_other() {
    let mut out = Vec::new();
    let mut bits = Bits::new(&mut out);
    // 70 literals: six extra bits on 64; a length of 40: one on 39; an offset of 100: six on 64.
    let coded = Coded {
        sequence: sequence(70, 40, 100),
        literal: literal_code(70),
        offset: offset_code(100),
        matched: match_code(37),
    };
    coded.write(&mut bits);
    bits.finish();
    let extra: u16 = (70 - 64) | 1 << 6 | (100 - 64) << 7 | 1 << 13;
    assert_eq!(out, extra.to_le_bytes());
}

#[test]
fn counts_end_with_the_last_code_that_occurs() {
    let counts = Counts::of([3, 0, 3, 7].into_iter());
    assert_eq!(counts.used(), [1, 0, 0, 2, 0, 0, 0, 1]);
    assert_eq!(Counts::of([63; 5].into_iter()).used().len(), 64);
}
