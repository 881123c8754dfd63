//! What each of the twelve contexts of a model sees, as the table of FORMAT.md, section 19.4, says.

use super::*;
use crate::leb128;

fn past(model: Model, bytes: &[u8]) -> Past {
    let mut past = Past::new(model, None);
    bytes.iter().for_each(|byte| past.take(*byte));
    past
}

#[test]
fn numbers_are_spread_as_the_format_says() {
    for (one, other, spread) in [
        (0, 0, 0x688a_bc06),
        (1, 0, 0xae2e_8c4c),
        (0, 1, 0x8d3e_75f9),
        (u32::MAX, u32::MAX, 0x1522_8bc6),
        (0x1234_5678, 0x9abc_def0, 0x8517_ca98),
        (0, 0x3c6e_f372, 0x13bd_77ba),
    ] {
        assert_eq!(hash(one, other), spread, "{one:#x} {other:#x}");
    }
}

/// The bits of the last nine bytes, the latest first, that each context depends on, as far as no word is about.
fn seen(model: Model) -> [[u8; 9]; CONTEXTS] {
    // Neither letters nor digits, nor do they become that or get their highest bit by what is changed.
    let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let plain = past(model, &bytes).contexts();
    let mut seen = [[0; 9]; CONTEXTS];
    for (back, bit) in (1..=9).flat_map(|back| (0..8).map(move |bit| (back, bit))) {
        let mut other = bytes;
        other[9 - back] ^= 1 << bit;
        let mut changed = past(model, &other);
        (changed.word, changed.word_before) = (0, 0);
        for (place, context) in changed.contexts().into_iter().enumerate() {
            seen[place][back - 1] |= u8::from(context != plain[place]) << bit;
        }
    }
    seen
}

/// All bits of these bytes.
fn bytes(back: &[usize]) -> [u8; 9] {
    std::array::from_fn(|place| if back.contains(&(place + 1)) { 0xff } else { 0 })
}

#[test]
fn contexts_of_text_and_programs_see_the_last_bytes() {
    let common = [
        bytes(&[]),
        bytes(&[1]),
        bytes(&[1, 2]),
        bytes(&[1, 2, 3]),
        bytes(&[1, 2, 3, 4]),
        bytes(&[1, 2, 3, 4, 5]),
        bytes(&[1, 2, 3, 4, 5, 6]),
        bytes(&[2, 3]),
        [0xf0, 0xf0, 0xf0, 0xf0, 0, 0, 0, 0, 0],
    ];
    for (model, own) in [
        (Model::Text, [bytes(&[1]), bytes(&[]), bytes(&[1, 2, 3, 4, 5, 6, 7, 8])]),
        (Model::Code, [bytes(&[1, 3]), bytes(&[2]), bytes(&[3, 4])]),
    ] {
        let found = seen(model);
        for (place, expected) in common.iter().chain(&own).enumerate() {
            assert_eq!(found[place], *expected, "context {place} of {model:?}");
        }
    }
}

#[test]
fn contexts_differ_from_each_other_whatever_came() {
    for model in Model::ALL {
        for came in [&b""[..], b"\0", b"some text", &[0xff; 20], &[7; 3]] {
            let mut all = past(model, came).contexts().to_vec();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), CONTEXTS, "{model:?} behind {came:?}");
        }
    }
}

#[test]
fn a_word_is_of_letters_digits_and_all_beyond_ascii() {
    let word = |bytes: &[u8]| past(Model::Text, bytes).word;
    for byte in 0..=255_u8 {
        let is_part = matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | 0x80..);
        assert_eq!(word(&[byte]) != 0, is_part, "{byte:#04x}");
        let small = byte + if byte.is_ascii_uppercase() { 32 } else { 0 };
        assert_eq!(word(&[byte]), if is_part { hash(u32::from(small), 0x0123_4567) } else { 0 }, "{byte:#04x}");
    }
    assert_eq!(word(b"WoRd"), word(b"word"));
    assert_eq!(word(b"ab"), hash(hash(97, 0x0123_4567).wrapping_add(98), 0x0123_4567));
    assert_ne!(word(b"ab"), word(b"ba"));
}

#[test]
fn the_word_before_is_the_last_that_ended() {
    let both = |bytes: &[u8]| {
        let past = past(Model::Text, bytes);
        (past.word, past.word_before)
    };
    let word = |bytes: &[u8]| both(bytes).0;
    for (bytes, now, before) in [
        (&b""[..], &b""[..], &b""[..]),
        (b"one", b"one", b""),
        (b"one ", b"", b"one"),
        (b"one, ", b"", b"one"),
        (b"one two", b"two", b"one"),
        (b"one two\n\n", b"", b"two"),
        (b" -- ", b"", b""),
    ] {
        assert_eq!(both(bytes), (word(now), word(before)), "{}", bytes.escape_ascii());
    }
    // Contexts 9 and 10 see them.
    let contexts = |bytes: &[u8]| past(Model::Text, bytes).contexts();
    let (one, other) = (contexts(b"first last 12345678"), contexts(b"third last 12345678"));
    assert_eq!(one, other, "two words back is too far");
    let (one, other) = (contexts(b"first 123456789"), contexts(b"third 123456789"));
    let differ: Vec<usize> = (0..CONTEXTS).filter(|place| one[*place] != other[*place]).collect();
    assert_eq!(differ, [10]);
    let (one, other) = (contexts(b"a123456789"), contexts(b"b123456789"));
    let differ: Vec<usize> = (0..CONTEXTS).filter(|place| one[*place] != other[*place]).collect();
    assert_eq!(differ, [9, 10]);
}

/// The contexts that these numbers become.
fn mixed(numbers: [u32; CONTEXTS]) -> [u32; CONTEXTS] {
    let mut place = 0;
    numbers.map(|number| {
        place += 1;
        hash(number, 0x3c6e_f372_u32.wrapping_mul(place))
    })
}

#[test]
fn contexts_of_numbers_see_the_last_four_and_what_has_begun() {
    let last: [u64; 4] = [7, 300, (1 << 40) + 5, 70_000];
    // Their sizes: themselves, or two steps for each bit.
    let [m1, m2, m3, m4] = [7, 24, 88, 40];
    let [n1, n2, n3] = [7, 300, 5];
    for (begun, count, value) in [(&[][..], 0, 0), (&[0x85], 1, 5), (&[0x85, 0x83], 2, 5 | 3 << 7)] {
        let mut bytes = Vec::new();
        last.iter().rev().for_each(|number| leb128::push(&mut bytes, *number));
        bytes.extend_from_slice(begun);
        let q = hash(count, value);
        let expected = [
            q,
            hash(q, m1),
            hash(q, n1),
            hash(q, m1 | m2 << 8),
            hash(q, hash(n1, n2)),
            hash(q, hash(hash(n1, n2), n3)),
            hash(q, m2),
            hash(q, m3),
            hash(q, m1 | m2 << 8 | m3 << 16),
            hash(q, hash(n2, n3)),
            hash(q, m1 | m2 << 8 | m3 << 16 | m4 << 24),
            hash(q, hash(m2, n1 + n2)),
        ];
        assert_eq!(past(Model::Numbers, &bytes).contexts(), mixed(expected), "{begun:?}");
    }
    assert_eq!(past(Model::Numbers, b"").contexts()[0], mixed([hash(0, 0); CONTEXTS])[0]);
}

#[test]
fn contexts_of_values_see_the_numbers_beside_them() {
    let numbers = [3, 0, 9, 1, 0, 5, 6, 70_000];
    let mut beside = Vec::new();
    numbers.iter().for_each(|number| leb128::push(&mut beside, *number));
    let few = |number: u32| number.min(6);
    for (count, [e, f, r1, r2]) in [
        (0, [3, 9, 0, 0]),
        (1, [9, 1, 3, 0]),
        (2, [1, 5, 9, 3]),
        (3, [5, 6, 1, 9]),
        (5, [70_000, 0, 6, 5]),
        (6, [0, 0, 70_000, 6]),
        (8, [0, 0, 0, 0]),
    ] {
        let came = &[11, 12, 13, 14, 15, 16, 17, 18][..count];
        let mut past = Past::new(Model::Values, Some((Model::Numbers, &beside)));
        came.iter().for_each(|byte| past.take(*byte));
        let back = |distance: usize| count.checked_sub(distance).map_or(0, |place| u32::from(came[place]));
        let last = |count: usize| (1..=count).fold(0, |sum, distance| sum | back(distance) << (8 * (distance - 1)));
        let (z, w) = (few(e) | few(f) << 3, hash(e, f));
        let y = z | few(r1) << 6;
        let five = hash(last(4), back(5));
        let expected = [
            z,
            hash(back(1), z),
            hash(last(2), z),
            hash(last(3), z),
            hash(last(4), few(e)),
            y | few(r2) << 9,
            hash(y, back(1)),
            hash(back(2), z),
            w,
            hash(w, back(1)),
            hash(hash(five, back(6)), 1),
            hash(hash(back(1) | back(4) << 8, z), 3),
        ];
        assert_eq!(past.contexts(), mixed(expected), "behind {count} values");
    }
}

#[test]
fn a_past_knows_the_last_eight_bytes() {
    let past = past(Model::Code, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!([1, 2, 8].map(|distance| past.back(distance)), [9, 8, 2]);
    assert_eq!([1, 2, 4].map(|count| past.last(count)), [9, 0x0809, 0x0607_0809]);
    assert_eq!(self::past(Model::Code, &[]).back(1), 0);
}
