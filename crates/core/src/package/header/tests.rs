use proptest::prelude::*;

use super::*;

/// A header as FORMAT.md describes it in section 1: zeros but for these fields.
fn by_hand(prefix: &str, name: &str, size: &[u8; 12]) -> [u8; 512] {
    let mut block = [0; 512];
    let fields: [(usize, &[u8]); 9] = [
        (0, name.as_bytes()),
        (100, b"0000444\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, size),
        (136, b"00000000000\0"),
        (156, b"0"),
        (257, b"ustar\x0000"),
        (345, prefix.as_bytes()),
    ];
    fields.iter().for_each(|(at, bytes)| block[*at..at + bytes.len()].copy_from_slice(bytes));
    sealed(block)
}

/// The block with the right checksum, in seven digits.
fn sealed(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    block
}

const SIZE: &[u8; 12] = b"00000030071\0";

fn written(name: &str, size: u64) -> [u8; 512] {
    *header(name, size).unwrap().as_bytes()
}

#[test]
fn every_altered_byte_of_a_header_is_seen() {
    let header = written("layer_deltas/0123.tar.zst", 12_345);
    assert_eq!(parse(&header), Some(("layer_deltas/0123.tar.zst".to_owned(), 12_345)));
    for at in 0..header.len() {
        for value in [header[at] ^ 1, header[at] ^ 0x80, 0, b' '] {
            let mut altered = header;
            altered[at] = value;
            // Whether the checksum is right or not.
            for altered in [altered, sealed(altered)] {
                if altered == header {
                    continue;
                }
                let found = parse(&altered);
                let says_so = found
                    .as_ref()
                    .is_none_or(|(name, size)| (name.as_str(), *size) != ("layer_deltas/0123.tar.zst", 12_345));
                let is_another = at < 100 || (124..136).contains(&at) || at >= 345;
                assert!(says_so && (found.is_none() || is_another), "byte {at}: {found:?}");
            }
        }
    }
}

#[test]
fn a_header_has_the_bytes_of_the_format() {
    assert_eq!(written("metadata.json", 12_345), by_hand("", "metadata.json", SIZE));
    for (size, field) in [
        (0, b"00000000000\0"),
        (1, b"00000000001\0"),
        ((8 << 30) - 1, b"77777777777\0"),
        (8 << 30, b"\x80\0\0\0\0\0\0\x02\0\0\0\0"),
        (1 << 40, b"\x80\0\0\0\0\0\x01\0\0\0\0\0"),
        (u64::MAX, b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"),
    ] {
        let block = by_hand("", "member", field);
        assert_eq!(written("member", size), block, "{size}");
        assert_eq!(parse(&block), Some(("member".to_owned(), size)));
    }
}

#[test]
fn a_long_name_goes_on_in_the_prefix() {
    let (folder, file) = ("f".repeat(90), "n".repeat(95));
    for name in ["n".repeat(100), format!("{folder}/{}", "n".repeat(9))] {
        assert_eq!(written(&name, 12_345), by_hand("", &name, SIZE));
        assert_eq!(parse(&written(&name, 12_345)), Some((name, 12_345)));
    }
    let name = format!("{folder}/{file}");
    assert_eq!(written(&name, 12_345), by_hand(&folder, &file, SIZE));
    assert_eq!(parse(&by_hand(&folder, &file, SIZE)), Some((name, 12_345)));
    for name in ["n".repeat(101), format!("{}/n", "f".repeat(156)), "a/".repeat(129)] {
        assert!(header(&name, 0).is_err(), "{name}");
    }
}

#[test]
fn another_form_of_the_same_is_refused() {
    let sound = by_hand("", "member", SIZE);
    assert!(parse(&sound).is_some());
    let with = |at: usize, bytes: &[u8]| {
        let mut block = sound;
        block[at..at + bytes.len()].copy_from_slice(bytes);
        sealed(block)
    };
    let mut six_digits = sound;
    let sum = u32::from_str_radix(std::str::from_utf8(&sound[148..155]).unwrap(), 8).unwrap();
    six_digits[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    for (what, block) in [
        ("a name that would fit without a prefix", by_hand("folder", "member", SIZE)),
        ("something behind the name", with(7, b"x")),
        ("another mode", with(100, b"0000644\0")),
        ("a mode with blanks", with(100, b"   444 \0")),
        ("an owner", with(108, b"0000001\0")),
        ("a group", with(116, b"0000001\0")),
        ("a size of twelve digits", with(124, b"000000030071")),
        ("a size with a blank behind it", with(124, b"00000030071 ")),
        ("a small size in binary", with(124, b"\x80\0\0\0\0\0\0\0\0\0\x30\x39")),
        ("a size that is no number", with(124, b"0000003007x\0")),
        ("a time", with(136, b"00000000001\0")),
        ("the type of old archives", with(156, b"\0")),
        ("a folder", with(156, b"5")),
        ("a link", with(157, b"to")),
        ("GNU's magic", with(257, b"ustar  \0")),
        ("a user's name", with(265, b"root")),
        ("a device", with(329, b"0000000\0")),
        ("something in the rest", with(511, b"\x01")),
        ("a checksum of six digits", six_digits),
        ("no name", by_hand("", "", SIZE)),
        ("a name from the root", by_hand("", "/member", SIZE)),
        ("a name that leads up", by_hand("", "../member", SIZE)),
        ("nothing", [0; 512]),
    ] {
        assert_eq!(parse(&block), None, "{what}");
    }
    let mut no_text = sound;
    no_text[0] = 0xff;
    assert_eq!(parse(&sealed(no_text)), None);
}

#[test]
fn a_member_is_filled_up_to_whole_blocks() {
    for (size, more) in [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511), (1 << 40, 0), ((1 << 40) + 1, 511)] {
        assert_eq!(padding(size), more, "{size}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(name in "[a-z0-9_.]{1,20}(/[a-zA-Z0-9_.-]{1,60}){0,3}", size: u64) {
        prop_assume!(!name.split('/').any(|part| part == "." || part == ".."));
        prop_assert_eq!(parse(&written(&name, size)), Some((name, size)));
    }
}
