//! Tar streams as somebody might write them, header by header: each is split as FORMAT.md says in section 8.1, and comes back.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use common::layer_builder::{LayerBuilder, noise};
use delta_codec::compress::Compression;
use delta_codec::{MemoryScratch, ReadAt};
use delta_core::job::choices::CompressionOptions;
use delta_core::layer::matcher::Library;
use delta_core::layer::recipe::{decode, encode};
use delta_core::layer::tar_index::{TarIndex, entries};
use delta_core::limits::{DESCRIPTION_BYTES, ENTRIES_PER_LAYER, SPARSE_BYTES};

const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;

/// A header block of this type for a content of `size` bytes.
fn header(kind: u8, size: u64) -> Vec<u8> {
    sized(kind, format!("{size:011o}\0").as_bytes())
}

/// The same with these bytes as its size.
fn sized(kind: u8, size: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..4].copy_from_slice(b"name");
    block[SIZE].copy_from_slice(size);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    sealed(block)
}

/// The block with the right checksum.
fn sealed(mut block: Vec<u8>) -> Vec<u8> {
    block[CHECKSUM].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A header with its content and padding.
fn member(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut member = [&header(kind, content.len() as u64)[..], content].concat();
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// A pax entry with these records.
fn records(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let body = format!(" {key}={value}\n");
        let length = (body.len()..).find(|length| body.len() + length.to_string().len() == *length).unwrap();
        format!("{length}{body}")
    };
    member(b'x', records.iter().map(record).collect::<String>().as_bytes())
}

/// How a layer is split: `h` and the length of the content for an entry with a header, `o` for an opaque one, and the padding where
/// there is some.
fn shape(layer: &dyn ReadAt) -> String {
    let entry = |entry: &delta_core::layer::tar_index::Entry| {
        let kind = if entry.has_header { 'h' } else { 'o' };
        let padding = if entry.padding > 0 { format!("+{}", entry.padding) } else { String::new() };
        format!("{kind}{}{padding}", entry.length)
    };
    entries(layer).unwrap().iter().map(entry).collect::<Vec<_>>().join(" ")
}

/// The layer comes back by a recipe, from nothing and from `base`.
fn assert_comes_back(base: &[u8], layer: &[u8]) {
    let shared = |bytes: &[u8]| Arc::new(bytes.to_vec()) as Arc<dyn ReadAt>;
    let library = Library::new(vec![shared(base), shared(layer)]).unwrap();
    let recipe = encode(&library, 1, CompressionOptions::usual(Compression::Zstd), common::CONTEXT).unwrap();
    let bases: Vec<_> = recipe.bases.iter().map(|_| shared(base)).collect();
    let mut rebuilt = Vec::new();
    decode(&bases, &recipe.streams, recipe.extent(layer.len() as u64), &MemoryScratch, &mut rebuilt).unwrap();
    assert!(rebuilt == layer, "another layer");
}

#[test]
fn the_type_says_whether_a_content_follows() {
    for kind in [0, b'0', b'7', b'g', b'A', b'D', b'M', b'N', b'V', 0xff] {
        assert_eq!(shape(&[header(kind, 5), b"hello".to_vec()].concat()), "h5", "{kind}");
    }
    for kind in b'1'..=b'6' {
        assert_eq!(shape(&[header(kind, 5), b"hello".to_vec()].concat()), "h0 o5", "{kind}");
    }
}

#[test]
fn a_size_has_the_forms_of_posix_and_gnu() {
    let content = noise(1, 600);
    for (size, expected) in [
        (&b"00000001130\0"[..], "h600"),
        (b"000000001130", "h600"),
        (b"       1130 ", "h600"),
        (b"1130\0\0\0\0\0\0\0\0", "h600"),
        (b"1130 junk it", "h600"),
        (b"            ", "h0 o600"),
        (&[0; 12], "h0 o600"),
        (b"\0   \0       ", "h0 o600"),
        (b"\x80\0\0\0\0\0\0\0\0\0\x02\x58", "h600"),
        (b"\x80\0\0\0\0\0\0\0\0\0\0\0", "h0 o600"),
        // What announces nothing makes no header.
        (b"\x80\0\0\x01\0\0\0\0\0\0\x02\x58", "o1112"),
        (b"\x81\0\0\0\0\0\0\0\0\0\x02\x58", "o1112"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "o1112"),
        (b"0000000113x\0", "o1112"),
        (b"00000001800\0", "o1112"),
        (b"\0\x001130\0\0\0\0\0\0", "o1112"),
        (b"\t      1130 ", "o1112"),
        (b"\n      1130 ", "o1112"),
        (b"-0000001130\0", "o1112"),
        (b"+0000001130\0", "o1112"),
        (b"   000 00 00", "h0 o600"),
    ] {
        let layer = [sized(b'0', size), content.clone()].concat();
        assert_eq!(shape(&layer), expected, "{}", size.escape_ascii());
        assert_comes_back(&[header(b'0', 600), content.clone()].concat(), &layer);
    }
}

#[test]
fn a_checksum_is_octal_digits_and_right() {
    let block = header(b'0', 0);
    let sum: u32 = sealed(block.clone())[..].iter().map(|byte| u32::from(*byte)).sum::<u32>()
        - block[CHECKSUM].iter().map(|byte| u32::from(*byte)).sum::<u32>()
        + 8 * 32;
    let digits = format!("{sum:o}");
    for (field, is_header) in [
        (format!("{sum:06o}\0 "), true),
        (format!("{sum:07o}\0"), true),
        (format!("{sum:08o}"), true),
        (format!("{digits:>7} "), true),
        (format!("{digits:<8}"), true),
        (format!("{digits}\0junk"), true),
        (format!("\t{digits:>6} "), false),
        (format!("\n{digits:>6} "), false),
        (format!("\0{digits:>6} "), false),
        (format!("{digits}x  "), false),
        (format!("-{digits:0>6} "), false),
        (format!("{:07o}\0", sum + 1), false),
        (format!("{:07o}\0", sum - 1), false),
        ("        ".to_owned(), false),
        ("\0\0\0\0\0\0\0\0".to_owned(), false),
    ] {
        let mut odd = block.clone();
        odd[CHECKSUM].copy_from_slice(&[field.as_bytes(), b"        "].concat()[..8]);
        assert_eq!(shape(&odd), if is_header { "h0" } else { "o512" }, "{}", field.escape_debug());
        assert_comes_back(&block, &odd);
    }
}

#[test]
fn bytes_are_summed_without_a_sign() {
    let mut block = header(b'0', 0);
    block[..4].copy_from_slice(&[0xe4; 4]);
    assert_eq!(shape(&sealed(block.clone())), "h0");
    let sealed = sealed(block);
    let right = u32::from_str_radix(std::str::from_utf8(&sealed[148..154]).unwrap(), 8).unwrap();
    let mut signed = sealed;
    signed[148..154].copy_from_slice(format!("{:06o}", right - 4 * 256).as_bytes());
    assert_eq!(shape(&signed), "o512");
}

#[test]
fn a_content_ends_in_its_layer() {
    let content = noise(2, 700);
    for (size, expected) in [(699, "h699+1"), (700, "h700"), (701, "o1212"), (u64::from(u32::MAX), "o1212")] {
        assert_eq!(shape(&[header(b'0', size), content.clone()].concat()), expected);
    }
    for more in 0..=400 {
        let layer = [header(b'0', 700), content.clone(), vec![1; more]].concat();
        let expected = match more {
            0 => "h700".to_owned(),
            1..=324 => format!("h700+{more}"),
            _ => format!("h700+324 o{}", more - 324),
        };
        assert_eq!(shape(&layer), expected);
    }
    for length in 0..512 {
        let expected = if length == 0 { String::new() } else { format!("o{length}") };
        assert_eq!(shape(&header(b'0', 0)[..length].to_vec()), expected, "a header is whole or none");
    }
}

#[test]
fn what_is_no_header_is_opaque_up_to_the_next_one() {
    let member = member(b'0', b"x");
    for (before, expected) in [
        (vec![0; 512], "o512 h1+511"),
        (vec![0; 1024], "o1024 h1+511"),
        (noise(3, 512), "o512 h1+511"),
        // Headers are looked for at whole blocks behind the entry before.
        (noise(3, 100), "o1124"),
        ([noise(3, 100), vec![0; 412]].concat(), "o512 h1+511"),
    ] {
        assert_eq!(shape(&[before, member.clone()].concat()), expected);
    }
    // A block that is a header for itself, but announces more than there is, is none.
    assert_eq!(shape(&[member.clone(), header(b'0', 513), member.clone()].concat()), "h1+511 h513+511");
    assert_eq!(shape(&[member.clone(), header(b'0', 1025), member].concat()), "h1+511 o512 h1+511");
}

#[test]
fn a_size_record_is_for_the_entry_behind_it() {
    let content = noise(4, 600);
    let body = [content.clone(), vec![0; 424]].concat();
    let of = |parts: &[Vec<u8>]| shape(&parts.concat());
    let size = || records(&[("size", "600")]);
    let plain = || [header(b'0', 0), body.clone()].concat();
    assert_eq!(of(&[size(), plain()]), "h12+500 h600+424");
    assert_eq!(of(&[plain()]), "h0 o1024");
    assert_eq!(of(&[size(), plain(), plain()]), "h12+500 h600+424 h0 o1024", "it is for one");
    assert_eq!(of(&[size(), header(b'5', 9), body.clone()]), "h12+500 h600+424", "whatever that is");
    assert_eq!(of(&[size(), header(b'g', 0), body.clone()]), "h12+500 h600+424");
    assert_eq!(of(&[size(), vec![0; 512], plain()]), "h12+500 o512 h0 o1024", "what is opaque makes it forgotten");
    assert_eq!(of(&[records(&[("size", "1025")]), plain()]), "h13+499 o1536", "one that cannot be makes no header");
    assert_eq!(of(&[records(&[("size", "0")]), header(b'0', 600), body.clone()]), "h9+503 h0 o1024");
}

#[test]
fn a_size_record_is_not_for_what_describes_the_entry_too() {
    let body = [noise(4, 600), vec![0; 424]].concat();
    let plain = [header(b'0', 0), body].concat();
    let size = records(&[("size", "600")]);
    for kind in [b'L', b'K', b'x'] {
        let name = member(kind, b"n");
        let layer = [size.clone(), name, plain.clone()].concat();
        assert_eq!(shape(&layer), "h12+500 h1+511 h600+424", "{}", char::from(kind));
    }
    let again = records(&[("size", "3")]);
    assert_eq!(shape(&[size, again, plain].concat()), "h12+500 h9+503 h3+509 o512", "the last one counts");
}

#[test]
fn records_are_read_up_to_the_first_that_is_none() {
    let body = vec![7; 1024];
    let plain = [header(b'0', 0), body].concat();
    for (text, is_read) in [
        (&b"12 size=700\n"[..], true),
        (b"9 a=bcde\n12 size=700\n", true),
        (b"12 size=500\n12 size=700\n", true),
        (b"0000000000000000012 size=700\n", false),
        (b"0000000000000000029 size=700\n", true),
        (b"00000000000000000030 size=700\n", false),
        (b"12 size=700 ", false),
        (b"13 size=700\n", false),
        (b"11 size=700\n", false),
        (b"+13 size=700\n", false),
        (b" 12 size=700\n", false),
        (b"14 size= 700 \n", false),
        (b"13 size=+700\n", false),
        (b"13 size=-700\n", false),
        (b"14 size=0x2bc\n", false),
        (b"13 Size=0700\n", false),
        (b"8 asize\n12 size=700\n", false),
        (b"3 \n12 size=700\n", false),
        (b"13 GNU.size=7\n", false),
        (b"29 size=18446744073709551616\n", false),
        (b"", false),
    ] {
        let entry = member(b'x', text);
        let behind = if is_read { "h700+324" } else { "h0 o1024" };
        let shape = shape(&[entry, plain.clone()].concat());
        assert!(shape.ends_with(behind), "{}: {shape}", text.escape_ascii());
    }
}

#[test]
fn description_bytes_are_looked_into_and_one_more_is_not() {
    let record = b"12 size=700\n";
    let plain = [header(b'0', 0), vec![7; 1024]].concat();
    for (more, is_read) in [(0, true), (1, false)] {
        let mut text = record.to_vec();
        text.resize(usize::try_from(DESCRIPTION_BYTES).unwrap() + more, 0);
        let shape = shape(&[member(b'x', &text), plain.clone()].concat());
        assert_eq!(shape.ends_with("h700+324"), is_read, "{shape}");
        assert_eq!(shape.ends_with("h0 o1024"), !is_read, "{shape}");
        let mut name = b"a/long/name\0".to_vec();
        name.resize(usize::try_from(DESCRIPTION_BYTES).unwrap() + more, 0);
        let layer = [member(b'L', &name), plain.clone()].concat();
        let index = TarIndex::new(&layer).unwrap();
        let expected = if is_read { &b"a/long/name"[..] } else { b"name" };
        assert_eq!(index.path(1).escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}

/// A header of a sparse file whose spans go on in `blocks` blocks behind it.
fn sparse(size: u64, blocks: usize) -> Vec<u8> {
    let mut head = header(b'S', size);
    head[482] = u8::from(blocks > 0);
    let mut all = sealed(head);
    for left in (0..blocks).rev() {
        let mut block = vec![0x11; 512];
        block[504] = u8::from(left > 0);
        all.extend(block);
    }
    all
}

#[test]
fn blocks_of_sparse_spans_belong_to_the_content() {
    for blocks in 0..5 {
        let layer = [sparse(5, blocks), b"hello".to_vec()].concat();
        assert_eq!(shape(&layer), format!("h{}", 512 * blocks + 5));
        assert_comes_back(&[sparse(5, 2), b"hello".to_vec()].concat(), &layer);
    }
    assert_eq!(shape(&sparse(0, 1)[..1023].to_vec()), "o1023", "a block of spans is whole");
    assert_eq!(shape(&sparse(0, 2)[..1024].to_vec()), "o1024", "and there when it is announced");
    // Of another type they are not looked for.
    let mut other = sparse(5, 1);
    other[156] = b'0';
    let other = [sealed(other[..512].to_vec()), other[512..].to_vec()].concat();
    assert_eq!(shape(&other), "h5+507");
    // A record of the size counts the content alone.
    let layer = [records(&[("size", "5")]), sparse(9, 1), b"hello".to_vec()].concat();
    assert_eq!(shape(&layer), "h9+503 h517");
}

#[test]
fn sparse_bytes_are_counted_and_one_block_more_is_not() {
    let most = usize::try_from(SPARSE_BYTES).unwrap() / 512;
    assert_eq!(shape(&sparse(0, most)), format!("h{SPARSE_BYTES}"));
    assert_eq!(shape(&sparse(0, most + 1)), format!("h{SPARSE_BYTES} o512"));
}

/// One block again and again.
struct Repeated(Vec<u8>, usize);

impl ReadAt for Repeated {
    fn len(&self) -> u64 {
        (self.0.len() * self.1) as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let (block, offset) = (&self.0, usize::try_from(offset).unwrap());
        let count = buffer.len().min((block.len() * self.1).saturating_sub(offset));
        let mut done = 0;
        while done < count {
            let rest = &block[(offset + done) % block.len()..];
            let piece = rest.len().min(count - done);
            buffer[done..done + piece].copy_from_slice(&rest[..piece]);
            done += piece;
        }
        Ok(count)
    }
}

#[test]
fn entries_per_layer_are_split_and_the_rest_is_one_piece() {
    for (count, last) in [(ENTRIES_PER_LAYER - 1, "h0"), (ENTRIES_PER_LAYER + 2, "o1536")] {
        let layer = Repeated(header(b'0', 0), count);
        let found = entries(&layer).unwrap();
        assert_eq!(found.len(), count.min(ENTRIES_PER_LAYER));
        let entry = found.last().unwrap();
        assert_eq!(format!("{}{}", if entry.has_header { 'h' } else { 'o' }, entry.length), last);
        assert_eq!(entry.end(), layer.len());
    }
}

#[test]
fn names_are_those_of_the_header_or_of_what_describes_it() {
    let name = |parts: &[Vec<u8>]| {
        let layer = parts.concat();
        let index = TarIndex::new(&layer).unwrap();
        index.path(index.entries().len() - 1).escape_ascii().to_string()
    };
    let with = |change: fn(&mut Vec<u8>)| {
        let mut block = header(b'0', 0);
        change(&mut block);
        sealed(block)
    };
    let prefixed = || with(|block| block[345..351].copy_from_slice(b"folder"));
    assert_eq!(name(&[prefixed()]), "folder/name");
    // GNU's magic, under which other fields are there.
    assert_eq!(name(&[with(|block| block[257..265].copy_from_slice(b"ustar  \0"))]), "name");
    let gnu = with(|block| {
        block[257..265].copy_from_slice(b"ustar  \0");
        block[345..351].copy_from_slice(b"folder");
    });
    assert_eq!(name(&[gnu]), "name");
    assert_eq!(name(&[with(|block| block[..100].fill(b'n'))]), "n".repeat(100));
    assert_eq!(name(&[with(|block| block[..6].copy_from_slice(b"./a/b/"))]), "a/b");
    assert_eq!(name(&[with(|block| block[..4].copy_from_slice(b"./\0\0"))]), "");
    assert_eq!(name(&[with(|block| block[..4].copy_from_slice(b"a//\0"))]), "a/");
    assert_eq!(name(&[member(b'L', b"long\0more"), prefixed()]), "long");
    assert_eq!(name(&[member(b'K', b"target\0"), prefixed()]), "folder/name", "the target of a link is no name");
    assert_eq!(name(&[records(&[("path", "p"), ("linkpath", "l")]), prefixed()]), "p");
    assert_eq!(name(&[records(&[("path", "p")]), member(b'L', b"long"), prefixed()]), "long", "the last one counts");
    assert_eq!(name(&[records(&[("path", "p")]), prefixed(), prefixed()]), "folder/name", "it is for one");
    assert_eq!(name(&[records(&[("path", "p")]), vec![0; 512], prefixed()]), "folder/name");
    assert_eq!(name(&[vec![0; 512]]), "");
}

#[test]
fn what_describes_an_entry_is_found_by_its_path_too() {
    let describing: Vec<u8> = (0..300).flat_map(|_| member(b'K', b"x")).collect();
    let layer = [describing, header(b'0', 0), records(&[("path", "other")]), vec![0; 512]].concat();
    let index = TarIndex::new(&layer).unwrap();
    assert_eq!(index.path(300), b"name");
    for (number, behind) in [(299, 1_u8), (298, 2), (45, 255), (44, 255), (0, 255)] {
        assert_eq!(index.path(number), [&b"name\0"[..], &[behind]].concat(), "{number}");
    }
    assert_eq!((index.path(301), index.path(302)), (&b"\0\x01"[..], &b""[..]), "what is opaque has no path");
    let last = TarIndex::new(&[header(b'0', 0), member(b'K', b"x")].concat()).unwrap();
    assert_eq!((last.path(0), last.path(1)), (&b"name"[..], &b""[..]), "at the end there is nothing to describe");
}

#[test]
fn indexed_path_bytes_are_kept_of_a_path() {
    for (length, kept) in [(4_095, 4_095), (4_096, 4_096), (4_097, 4_096)] {
        let layer = [member(b'L', &vec![b'p'; length]), header(b'0', 0)].concat();
        let index = TarIndex::new(&layer).unwrap();
        assert_eq!(index.path(1).len(), kept);
        assert_eq!(index.path(0).len(), kept + 2, "with a NUL and a number");
    }
}

/// One of everything.
fn rich() -> Vec<u8> {
    let built = LayerBuilder::new()
        .folder("etc/")
        .file(&"long/".repeat(30), b"x")
        .records(&[("mtime", b"1700000000.5"), ("path", b"other/name")])
        .file("short", &noise(5, 700))
        .link("link", "short")
        .finish();
    let mut layer =
        [records(&[("size", "600")]), member(b'L', b"n"), header(b'0', 0), noise(6, 600), vec![0; 424]].concat();
    layer.extend([sparse(20, 2), noise(7, 20), vec![9; 492], noise(8, 300)].concat());
    layer.extend(vec![0; 212]);
    layer.extend(built);
    layer
}

#[test]
fn a_stream_that_is_cut_anywhere_is_split_as_before_up_to_the_cut() {
    let layer = rich();
    let whole = entries(&layer).unwrap();
    assert!(whole.iter().filter(|entry| entry.has_header).count() >= 9 && whole.iter().any(|entry| !entry.has_header));
    for cut in 0..layer.len() {
        let found = entries(&layer[..cut].to_vec()).unwrap();
        assert_eq!(
            found.iter().fold(0, |end, entry| if entry.start == end { entry.end() } else { u64::MAX }),
            cut as u64
        );
        let before = whole.iter().take_while(|entry| entry.end() <= cut as u64).count();
        // A last opaque entry may be longer, where the header that ended it is cut.
        let sure = before - usize::from(before > 0 && !whole[before - 1].has_header);
        assert_eq!(found[..sure], whole[..sure], "cut at {cut}");
    }
}

#[test]
fn a_stream_that_is_cut_or_altered_anywhere_comes_back() {
    let layer = rich();
    for at in (0..layer.len()).step_by(61) {
        assert_comes_back(&layer, &layer[..at]);
        assert_comes_back(&layer[..at], &layer);
        let mut altered = layer.clone();
        altered[at] ^= 1 << (at % 8);
        assert_comes_back(&layer, &altered);
        assert_comes_back(&altered, &layer);
    }
}
