//! Which deflate streams are found in gzip files, zips, pngs and zlib streams: what FORMAT.md, section 9.1, says of each field.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use common::archives::{deflated, text, zlibbed};
use common::container_parts::{Png, ZipMember, ZipParts, gzip_header, gzip_member, stored_block};
use delta_codec::deflate::{close, inflate, looks_compressed, open};
use delta_codec::limits::{
    DEFLATE_DEPTH, DEFLATE_DIRECTORY_BYTES, DEFLATE_HEADER_BYTES, DEFLATE_IDAT_CHUNKS, DEFLATE_STORED,
    DEFLATE_STREAM_BYTES_MIN,
};
use delta_codec::{Concat, MemoryScratch, ReadAt, Reader};

fn all(bytes: impl ReadAt) -> Vec<u8> {
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut Reader::new(bytes), &mut read).unwrap();
    read
}

/// The name and the plain bytes of a stream.
type Named = (Vec<u8>, Vec<u8>);

/// What is in no stream of `content`, and each stream.
fn taken(content: &dyn ReadAt) -> Option<(Vec<u8>, Vec<Named>)> {
    let found = inflate(content, &MemoryScratch).unwrap()?;
    let (plain, mut end) = (all(&found.plain), 0);
    let streams = found.streams.iter().map(|one| {
        let [start, length] = [one.offset, one.length].map(|number| usize::try_from(number).unwrap());
        assert_eq!(start, std::mem::replace(&mut end, start + length), "plain bytes follow each other");
        (one.name.clone(), plain[start..start + length].to_vec())
    });
    let streams = streams.collect();
    assert_eq!(end, plain.len());
    Some((all(&found.skeleton), streams))
}

/// The plain bytes of each stream.
fn plains(content: &[u8]) -> Vec<Vec<u8>> {
    let streams = taken(&content.to_vec()).map(|(_, streams)| streams).unwrap_or_default();
    streams.into_iter().map(|(_, plain)| plain).collect()
}

/// The skeleton, once all else was seen to come back from it.
#[track_caller]
fn skeleton(content: &[u8]) -> Vec<u8> {
    let content = content.to_vec();
    let opened = open(&content, &MemoryScratch).unwrap().expect("streams that come back");
    let (skeleton, plain) = (&opened.inflated.skeleton, &opened.inflated.plain);
    let mut closed = Vec::new();
    let length = close(&opened.plan, skeleton, plain, &mut closed, content.len() as u64).unwrap();
    assert!(closed == content && length == content.len() as u64);
    all(skeleton)
}

#[test]
fn a_gzip_header_has_any_of_its_parts() {
    let plain = text(1, 500);
    for flags in 0..32 {
        let header = gzip_header(flags, b"extra", b"name", b"comment");
        let content = gzip_member(&header, &plain);
        assert_eq!(skeleton(&content), header, "{flags:#04x}");
        assert_eq!(plains(&content), std::slice::from_ref(&plain), "{flags:#04x}");
        // A header without a stream behind it is none.
        for length in 0..=header.len() {
            assert_eq!(taken(&content[..length].to_vec()), None, "{flags:#04x} cut to {length} bytes");
        }
    }
}

#[test]
fn a_gzip_header_with_a_flag_that_nobody_knows_or_another_method_is_none() {
    let content = gzip_member(&gzip_header(0, b"", b"", b""), &text(1, 500));
    for (at, value) in [(3, 0x20), (3, 0x40), (3, 0x80), (2, 7), (2, 9), (1, 0x8a), (0, 0x1e)] {
        let mut other = content.clone();
        other[at] = value;
        assert_eq!(taken(&other), None, "byte {at} is {value:#04x}");
    }
}

#[test]
fn an_extra_field_of_gzip_has_up_to_65535_bytes() {
    for size in [0, 1, 255, 256, 65_535] {
        let header = gzip_header(4, &vec![7; size], b"", b"");
        assert_eq!(taken(&gzip_member(&header, &text(1, 500))).unwrap().0, header, "{size}");
    }
}

#[test]
fn a_name_or_comment_of_gzip_ends_within_its_bound() {
    let bound = usize::try_from(DEFLATE_HEADER_BYTES).unwrap();
    for flags in [8, 16] {
        for (letters, is_found) in [(0, true), (255, true), (256, true), (bound - 1, true), (bound, false)] {
            let long = vec![b'n'; letters];
            let content = gzip_member(&gzip_header(flags, b"", &long, &long), &text(1, 500));
            assert_eq!(taken(&content).is_some(), is_found, "{letters} letters");
            // Whatever pieces the content is read in, it has the same streams.
            for cut in [11, 100, 300, 65_530] {
                let (first, rest) = content.split_at(cut.min(content.len()));
                let pieces = Concat::new([first.to_vec(), rest.to_vec()]);
                assert!(taken(&pieces) == taken(&content), "{letters} letters, cut at {cut}");
            }
        }
        let endless = [&gzip_header(0, b"", b"", b"")[..3], &[flags], &[b'n'; 400][..]].concat();
        assert_eq!(taken(&endless), None, "a name without end");
    }
}

#[test]
fn members_of_gzip_follow_each_other_until_one_has_another_trailer() {
    let header = gzip_header(0, b"", b"", b"");
    let texts = [text(1, 400), text(2, 500), text(3, 600)];
    let members = texts.each_ref().map(|plain| gzip_member(&header, plain));
    assert_eq!(plains(&members.concat()), texts);
    assert_eq!(skeleton(&members.concat()), header.repeat(3));
    let between = [&members[0][..], &members[1], b"\0", &members[2]].concat();
    assert_eq!(plains(&between), texts[..2]);
    assert_eq!(skeleton(&between), [&header.repeat(2)[..], b"\0", &members[2]].concat());
    for (bit, at) in (0..8).flat_map(|bit| (1..=8).map(move |at| (bit, at))) {
        let mut damaged = members.clone();
        let end = damaged[1].len();
        damaged[1][end - at] ^= 1 << bit;
        assert_eq!(plains(&damaged.concat()), texts[..2], "bit {bit} of byte {at} from the end");
    }
    // Without the trailer, which then is nobody's.
    let bare = &members[0][..members[0].len() - 8];
    assert_eq!((plains(bare), skeleton(bare)), (vec![texts[0].clone()], header));
}

#[test]
fn a_stream_has_32_bytes_at_least() {
    let least = usize::try_from(DEFLATE_STREAM_BYTES_MIN).unwrap();
    let header = gzip_header(0, b"", b"", b"");
    for (bytes, is_found) in [(least - 1, false), (least, true)] {
        let plain = text(1, bytes - 5);
        let stream = stored_block(&plain);
        assert_eq!(stream.len(), bytes);
        let content = common::archives::member(&stream, &plain);
        assert_eq!(taken(&content).is_some(), is_found, "{bytes} bytes in gzip");
        // A short one is passed over, and what follows is found.
        let follows = [content, gzip_member(&header, &text(2, 500))].concat();
        assert_eq!(plains(&follows).len(), 1 + usize::from(is_found));
        let zip = ZipParts::new([ZipMember { stream, ..ZipMember::deflated("short", &plain) }]);
        assert_eq!(taken(&zip.bytes()).is_some(), is_found, "{bytes} bytes in a zip");
    }
}

#[test]
fn the_first_bytes_tell_a_zlib_stream() {
    let mut count = 0;
    for number in 0..=u16::MAX {
        let [method, flags] = number.to_be_bytes();
        let is_header = method & 15 == 8 && method >> 4 < 8 && number % 31 == 0 && flags & 0x20 == 0;
        let content = [&[method, flags][..], &[0; 6]].concat();
        assert_eq!(looks_compressed(&content).unwrap(), is_header, "{number:#06x}");
        count += usize::from(is_header);
    }
    assert_eq!(count, 8 * 4, "eight windows, four levels");
    // What has fewer than eight bytes is nothing.
    assert!(!looks_compressed(&[0x78, 0x9c, 0, 0, 0, 0, 0].to_vec()).unwrap());
}

#[test]
fn a_zlib_stream_fills_its_content() {
    let content = zlibbed(&text(1, 500));
    assert_eq!(plains(&content), [text(1, 500)]);
    assert_eq!(skeleton(&content), b"");
    for length in 0..content.len() {
        assert_eq!(taken(&content[..length].to_vec()), None, "cut to {length} bytes");
    }
    for (bit, at) in (0..8).flat_map(|bit| (1..=4).map(move |at| (bit, at))) {
        let mut damaged = content.clone();
        let end = damaged.len();
        damaged[end - at] ^= 1 << bit;
        assert_eq!(taken(&damaged), None, "bit {bit} of byte {at} of the checksum");
    }
}

#[test]
fn the_stream_of_a_png_is_cut_in_any_way() {
    let plain = text(1, 900);
    let data = zlibbed(&plain);
    let length = data.len();
    for cuts in [
        vec![length],
        vec![1; length],
        vec![1, 1, length - 2],
        vec![2, length - 6, 4],
        vec![0, 1, 0, 1, 0, length - 2],
        vec![length - 5, 1, 1, 1, 1, 1],
        vec![length - 3, 3, 0],
        vec![100, 100, 100, length - 300],
    ] {
        let png = Png::of(&data, &cuts);
        assert_eq!(plains(&png.bytes()), std::slice::from_ref(&plain), "{cuts:?}");
        assert_eq!(skeleton(&png.bytes()), Png::of(b"", &[]).bytes(), "{cuts:?}");
    }
}

#[test]
fn image_data_that_is_not_one_whole_stream_stays() {
    let data = zlibbed(&text(1, 900));
    let whole = Png::of(&data, &[300, data.len() - 300]);
    assert!(taken(&whole.bytes()).is_some());
    for (at, what) in [(0, "the length"), (4, "the name"), (8, "a byte"), (8 + 300, "the checksum")] {
        let mut png = whole.bytes();
        let first = png.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
        png[first + at] ^= 1;
        assert_eq!(taken(&png), None, "{what} of the first chunk");
    }
    // Another chunk between two, one byte too few and one too many.
    let apart = Png { chunks: [&whole.chunks[..1], &[(*b"tEXt", b"x".to_vec())], &whole.chunks[1..]].concat() };
    assert_eq!(taken(&apart.bytes()), None);
    for other in [&data[..data.len() - 1], &[&data[..], b"\0"].concat(), b"", &data[..1], &data[..5]] {
        assert_eq!(taken(&Png::of(other, &[other.len()]).bytes()), None, "{} bytes", other.len());
    }
    for at in [0, 1, data.len() - 1] {
        let mut other = data.clone();
        other[at] ^= 4;
        assert_eq!(taken(&Png::of(&other, &[other.len()]).bytes()), None, "byte {at}");
    }
}

#[test]
fn a_png_has_chunks_up_to_the_limit() {
    let data = zlibbed(&text(1, 900));
    for (empty, is_found) in [(DEFLATE_IDAT_CHUNKS - 1, true), (DEFLATE_IDAT_CHUNKS, false)] {
        let cuts = [vec![0; empty], vec![data.len()]].concat();
        assert_eq!(taken(&Png::of(&data, &cuts).bytes()).is_some(), is_found, "{empty} empty chunks before");
    }
}

#[test]
fn members_of_a_zip_are_found_in_the_order_of_their_offsets() {
    let texts = [text(1, 500), text(2, 600), text(3, 700)];
    let mut zip = ZipParts::new([0, 1, 2].map(|number| ZipMember::deflated(["a", "b", "c"][number], &texts[number])));
    let in_order = zip.bytes();
    zip.listed = vec![2, 0, 1];
    let names = |content: &[u8]| -> Vec<Vec<u8>> {
        taken(&content.to_vec()).unwrap().1.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        (names(&in_order), plains(&in_order)),
        (vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()], texts.to_vec())
    );
    assert_eq!((names(&zip.bytes()), plains(&zip.bytes())), (names(&in_order), texts.to_vec()));
    // One that is listed twice is there once.
    zip.listed = vec![1, 1, 0];
    assert_eq!(names(&zip.bytes()), [b"a", b"b"]);
    skeleton(&zip.bytes());
}

#[test]
fn only_deflated_members_that_are_not_encrypted_are_streams() {
    let member = ZipMember::deflated("a", &text(1, 500));
    for (method, flags, is_found) in [
        (8, 0, true),
        (8, 0x808, true),
        (8, 1, false),
        (8, 0x809, false),
        (0, 0, false),
        (9, 0, false),
        (12, 0, false),
        (8 << 8, 0, false),
    ] {
        let zip = ZipParts::new([ZipMember { method, flags, ..member.clone() }]);
        assert_eq!(taken(&zip.bytes()).is_some(), is_found, "method {method}, flags {flags:#x}");
    }
}

#[test]
fn what_stands_around_a_member_is_read_past() {
    let member = ZipMember::deflated("some/name", &text(1, 500));
    for (local_extra, central_extra, comment) in
        [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (300, 5_000, 7), (65_535, 65_535, 65_535)]
    {
        let one = ZipMember {
            local_extra: vec![1; local_extra],
            central_extra: vec![2; central_extra],
            comment: vec![3; comment],
            ..member.clone()
        };
        let zip = ZipParts::new([one, ZipMember::deflated("second", &text(2, 600))]);
        assert_eq!(plains(&zip.bytes()), [text(1, 500), text(2, 600)], "{local_extra} {central_extra} {comment}");
    }
}

#[test]
fn the_end_of_a_zip_is_found_behind_the_longest_comment() {
    let zip = ZipParts::new([ZipMember::deflated("a", &text(1, 500))]);
    for (behind, is_found) in [(0, true), (1, true), (65_535, true), (65_536, false)] {
        assert_eq!(taken(&[zip.bytes(), vec![7; behind]].concat()).is_some(), is_found, "{behind} bytes");
    }
    // A comment that looks like another end, whose directory is none.
    for end in [[&b"PK\x05\x06"[..], &[0; 18]].concat(), [&b"PK\x05\x06"[..], &[0xff; 18]].concat()] {
        assert!(taken(&[zip.bytes(), end].concat()).is_some());
    }
    let cut = zip.bytes();
    for length in 0..cut.len() {
        assert_eq!(taken(&cut[..length].to_vec()), None, "cut to {length} bytes");
    }
}

#[test]
fn a_program_before_a_zip_moves_its_offsets() {
    let zip = ZipParts::new([ZipMember::deflated("a", &text(1, 500))]).bytes();
    for before in [&b"#!/bin/sh\n"[..], &[0x7f; 3_000]] {
        let content = [before, &zip].concat();
        assert!(looks_compressed(&content).unwrap());
        assert_eq!(plains(&content), [text(1, 500)]);
        // Then only an end without a comment is looked for.
        assert!(!looks_compressed(&[&content[..], b"x"].concat()).unwrap());
    }
    assert!(!looks_compressed(&zip[zip.len() - 21..].to_vec()).unwrap());
    assert!(looks_compressed(&zip[zip.len() - 22..].to_vec()).unwrap());
}

#[test]
fn wide_fields_stand_for_the_short_ones_that_are_full() {
    let plain = text(1, 500);
    let member = ZipMember::deflated("a", &plain);
    let (size, packed) = (plain.len() as u64, member.stream.len() as u64);
    let wide = |numbers: &[u64]| -> Vec<u8> {
        let data: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        [&1_u16.to_le_bytes()[..], &u16::try_from(data.len()).unwrap().to_le_bytes(), &data].concat()
    };
    let other = [&0x7075_u16.to_le_bytes()[..], &3_u16.to_le_bytes(), b"any"].concat();
    let full = Some(u32::MAX);
    for (sizes, extra, is_found) in [
        // Plain size, packed size, offset: each may be wide.
        ([full, full, full], wide(&[size, packed, 0]), true),
        ([full, full, None], wide(&[size, packed]), true),
        ([None, full, None], wide(&[packed]), true),
        ([None, None, full], wide(&[0]), true),
        ([full, None, None], wide(&[size]), true),
        ([full, None, full], wide(&[size, 0]), true),
        // Behind another field, and with more behind it.
        ([full, full, full], [other.clone(), wide(&[size, packed, 0])].concat(), true),
        ([full, full, full], [wide(&[size, packed, 0]), other.clone()].concat(), true),
        ([full, full, full], wide(&[size, packed, 0, 7]), true),
        // Not there, too short, with another number, or cut.
        ([full, full, full], Vec::new(), false),
        ([full, full, full], other.clone(), false),
        ([full, full, full], wide(&[size, packed]), false),
        ([full, full, full], wide(&[size, packed + 1, 0]), false),
        ([full, full, full], wide(&[size, packed, 1]), false),
        ([full, full, full], wide(&[size, packed, u64::MAX]), false),
        ([full, full, full], wide(&[size, u64::MAX, 0]), false),
        ([full, full, full], wide(&[size, packed, 0])[..27].to_vec(), false),
        ([None, None, full], [other[..6].to_vec(), wide(&[0])].concat(), false),
    ] {
        let zip = ZipParts::new([ZipMember { stated: sizes, central_extra: extra.clone(), ..member.clone() }]);
        assert_eq!(taken(&zip.bytes()).is_some(), is_found, "{sizes:?} {extra:02x?}");
    }
}

#[test]
fn the_end_of_a_wide_zip_is_found_before_its_locator() {
    let mut zip = ZipParts::new([ZipMember::deflated("a", &text(1, 500))]);
    zip.is_wide = true;
    assert_eq!(plains(&zip.bytes()), [text(1, 500)]);
    // Something before it moves the record away from where the locator says that it is.
    for before in [1, 100, 5_000] {
        assert_eq!(plains(&[vec![b'#'; before], zip.bytes()].concat()), [text(1, 500)], "{before} bytes before");
    }
    let bytes = zip.bytes();
    let at = |name: &[u8]| bytes.windows(4).rposition(|four| four == name).unwrap();
    for (place, what) in
        [(at(b"PK\x06\x07"), "the locator"), (at(b"PK\x06\x06"), "the record"), (at(b"PK\x01\x02"), "the directory")]
    {
        for byte in 0..4 {
            let mut damaged = bytes.clone();
            damaged[place + byte] ^= 0x40;
            assert_eq!(taken(&damaged), None, "byte {byte} of {what}");
        }
    }
}

#[test]
fn a_zip_that_is_stored_in_a_zip_is_searched_down_to_the_deepest_level() {
    let nested = |levels: u32| {
        (1..levels).fold(ZipParts::new([ZipMember::deflated("leaf", &text(1, 500))]).bytes(), |inner, _| {
            ZipParts::new([ZipMember::stored("inner.zip", &inner), ZipMember::deflated("beside", &text(2, 600))])
                .bytes()
        })
    };
    let found = |levels| plains(&nested(levels));
    assert_eq!(found(1), [text(1, 500)]);
    assert_eq!(found(2), [text(1, 500), text(2, 600)]);
    assert_eq!(found(DEFLATE_DEPTH)[0], text(1, 500));
    assert_eq!(found(DEFLATE_DEPTH).len(), 3);
    assert_eq!(found(DEFLATE_DEPTH + 1), [text(2, 600), text(2, 600), text(2, 600)]);
    skeleton(&nested(DEFLATE_DEPTH));
}

#[test]
fn stored_archives_are_searched_up_to_the_limit() {
    let inner = |number: usize| ZipParts::new([ZipMember::deflated("leaf", &text(number as u64, 60))]).bytes();
    for count in [DEFLATE_STORED - 1, DEFLATE_STORED, DEFLATE_STORED + 1] {
        let zip = ZipParts::new((0..count).map(|number| ZipMember::stored("inner.zip", &inner(number))));
        assert_eq!(plains(&zip.bytes()).len(), count.min(DEFLATE_STORED));
    }
    // What is stored and no archive costs nothing.
    let others = (0..DEFLATE_STORED).map(|_| ZipMember::stored("text", b"text"));
    let zip = ZipParts::new(others.chain([ZipMember::stored("inner.zip", &inner(1))]));
    assert_eq!(plains(&zip.bytes()).len(), 1);
}

/// A zip of one stream whose directory has so many bytes, of which all but some are comments; `inner` is stored in it.
fn with_directory(bytes: usize, inner: Option<&[u8]>) -> Vec<u8> {
    let mut members = vec![ZipMember::deflated("a", &text(1, 500))];
    members.extend(inner.map(|inner| ZipMember::stored("b", inner)));
    let mut left = bytes - 47 * members.len();
    while left > 0 {
        // A record of 46 bytes, its name and its comment, and enough behind it for another one.
        let comment = left.min(60_000) - 47;
        members.push(ZipMember { comment: vec![7; comment], ..ZipMember::stored("c", b"x") });
        left -= 47 + comment;
    }
    ZipParts::new(members).bytes()
}

#[test]
fn directories_together_have_up_to_64_mebibytes() {
    let most = usize::try_from(DEFLATE_DIRECTORY_BYTES).unwrap();
    for (bytes, is_found) in [(most, true), (most + 1, false)] {
        assert_eq!(taken(&with_directory(bytes, None)).is_some(), is_found, "{bytes}");
    }
    // What is left for the directory of a stored archive is what the outer one leaves.
    let inner = with_directory(10_000, None);
    for (outer, found) in [(most - 10_000, 2), (most - 9_999, 1)] {
        assert_eq!(plains(&with_directory(outer, Some(&inner))).len(), found, "{outer}");
    }
}

#[test]
fn streams_may_stand_side_by_side() {
    // The extra field of the first local header holds the second one, whose own reaches over the first stream.
    let texts = [text(1, 500), text(2, 600)];
    let mut members = [ZipMember::deflated("a", &texts[0]), ZipMember::deflated("b", &texts[1])];
    let first_stream = members[0].stream.clone();
    let lengths = [&1_u16.to_le_bytes()[..], &u16::try_from(first_stream.len()).unwrap().to_le_bytes()].concat();
    let second_header = [&b"PK\x03\x04\x14\0\0\0\x08\0"[..], &[0; 16], &lengths, b"b"].concat();
    members[0].stream.extend_from_slice(&members[1].stream.clone());
    members[0].stated = [None, Some(u32::try_from(first_stream.len()).unwrap()), None];
    members[0].local_extra = second_header;
    // Where the second one stands as a member of its own nobody looks.
    members[1].stated = [None, None, Some(31)];
    assert_eq!(plains(&ZipParts::new(members).bytes()), texts);
}

#[test]
fn a_record_that_leads_outside_or_into_another_member_is_passed_over() {
    let texts = [text(1, 500), text(2, 600)];
    let members = [ZipMember::deflated("a", &texts[0]), ZipMember::deflated("b", &texts[1])];
    let behind_first = 30 + 1 + u32::try_from(members[0].stream.len()).unwrap();
    for (stated, found) in [
        ([None, None, None], &texts[..]),
        ([None, Some(u32::MAX - 1), None], &texts[1..]),
        ([None, Some(0), None], &texts[1..]),
        ([None, None, Some(u32::MAX - 1)], &texts[1..]),
        ([None, None, Some(1)], &texts[1..]),
        // It claims to be the second one, which is there once.
        ([None, Some(u32::try_from(members[1].stream.len()).unwrap()), Some(behind_first)], &texts[1..]),
        // What it says of its plain size is not asked.
        ([Some(7), None, None], &texts[..]),
    ] {
        let zip = ZipParts::new([ZipMember { stated, ..members[0].clone() }, members[1].clone()]);
        assert_eq!(plains(&zip.bytes()), found, "{stated:?}");
    }
    // A stream with something behind it does not end where its member does.
    let longer = ZipMember { stream: [&deflated(&texts[0]).0[..], b"\0"].concat(), ..members[0].clone() };
    assert_eq!(plains(&ZipParts::new([longer, members[1].clone()]).bytes()), texts[1..]);
}
