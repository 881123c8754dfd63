//! Finds the streams of a zip, and of all that is a zip: jar, war, whl, apk, nupkg, docx.
//!
//! The central directory (APPNOTE.TXT 4.3.12) says where the members are, so that stored and encrypted ones, data
//! descriptors and bytes before, between and behind the members need no understanding. What it says is believed only when
//! the member inflates to exactly its end.

use std::io;

use super::located::{Around, Collector, Wrapping, bytes_at};
use crate::encoder::Origin;
use crate::limits::{DEFLATE_DEPTH, DEFLATE_DIRECTORY_BYTES, DEFLATE_STORED};
use crate::{ReadAt, Slice};

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
const SIZES_64: u16 = 1;

/// The end record and the longest comment behind it.
const END_SEARCHED: u64 = 22 + 65_535;

struct Directory {
    offset: u64,
    size: u64,
    /// What to add to offsets in the directory: the bytes before the first member of a self-extracting archive.
    shift: u64,
}

/// A record of a directory.
struct Record {
    name: Vec<u8>,
    header: u64,
    size: u64,
    is_stored: bool,
}

/// A deflated member; where its stream starts in the content.
struct ZipEntry {
    name: Vec<u8>,
    start: u64,
    size: u64,
}

/// Whether the content ends with an end record without a comment.
pub(super) fn ends(content: &dyn ReadAt) -> io::Result<bool> {
    let Some(offset) = content.len().checked_sub(22) else { return Ok(false) };
    Ok(bytes_at::<4>(content, offset)? == Some(END))
}

pub(super) fn locate(collector: &mut Collector<'_>) -> io::Result<()> {
    let content = collector.content;
    let mut search = Search { content, room: DEFLATE_DIRECTORY_BYTES, stored: DEFLATE_STORED, found: Vec::new() };
    search.archive(0, content.len(), DEFLATE_DEPTH)?;
    let mut members = search.found;
    members.sort_by_key(|member| member.start);
    for ZipEntry { name, start, size } in members {
        if collector.found.last().is_some_and(|last| last.end() > start) {
            continue;
        }
        let piece = (start, size);
        if let Some(end) = collector.inflate(&[piece])?.filter(|end| end.compressed == size) {
            let around = Around { name: &name, span: piece, wrapping: Wrapping::Raw, origin: Origin::Zip };
            collector.add(around, vec![piece], end);
        }
    }
    Ok(())
}

/// The search in an archive and in those that are stored in it, as web applications store their libraries.
struct Search<'a> {
    content: &'a dyn ReadAt,
    /// Bytes of directories that may still be held, one after the other.
    room: u64,
    /// Stored members that may still be searched.
    stored: usize,
    found: Vec<ZipEntry>,
}

impl Search<'_> {
    /// Searches the archive of `length` bytes at `offset`.
    fn archive(&mut self, offset: u64, length: u64, depth: u32) -> io::Result<()> {
        let Some(archive) = Slice::new(self.content, offset, length) else { return Ok(()) };
        let Some(directory) = directory(&archive)?.filter(|directory| directory.size <= self.room) else {
            return Ok(());
        };
        self.room -= directory.size;
        for Record { name, header, size, is_stored } in records(&archive, &directory)? {
            let Some(start) = data_start(&archive, header)? else { continue };
            if start.checked_add(size).is_none_or(|end| end > length) {
                continue;
            }
            if !is_stored {
                self.found.push(ZipEntry { name, start: offset + start, size });
            } else if depth > 1 && self.stored > 0 && bytes_at::<4>(&archive, start)? == Some(LOCAL) {
                self.stored -= 1;
                self.archive(offset + start, size, depth - 1)?;
            }
        }
        Ok(())
    }
}

/// Looks for the last end record whose directory lies right before it.
fn directory(content: &dyn ReadAt) -> io::Result<Option<Directory>> {
    let from = content.len().saturating_sub(END_SEARCHED);
    let mut tail = vec![0; usize::try_from(content.len() - from).unwrap_or_default()];
    content.read_exact_at(&mut tail, from)?;
    for at in (0..tail.len().saturating_sub(21)).rev() {
        if tail[at..].starts_with(&END)
            && let Some(found) = directory_before(content, from + at as u64)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The directory of the end record at `end`.
fn directory_before(content: &dyn ReadAt, end: u64) -> io::Result<Option<Directory>> {
    let Some(record) = bytes_at::<22>(content, end)? else { return Ok(None) };
    let (size, stated) = (u64::from(u32_at(&record, 12)), u64::from(u32_at(&record, 16)));
    if let Some(found) = directory_at(content, end, size, stated)? {
        return Ok(Some(found));
    }
    let Some(start) = end.checked_sub(20) else { return Ok(None) };
    let Some(locator) = bytes_at::<20>(content, start)?.filter(|bytes| bytes.starts_with(&LOCATOR_64)) else {
        return Ok(None);
    };
    // The record that the locator points to stands right before it, whatever was put before the archive.
    let stated_record = u64_at(&locator, 8);
    for record_offset in [Some(stated_record), start.checked_sub(56)].into_iter().flatten() {
        let Some(record) = bytes_at::<56>(content, record_offset)?.filter(|bytes| bytes.starts_with(&END_64)) else {
            continue;
        };
        return directory_at(content, record_offset, u64_at(&record, 40), u64_at(&record, 48));
    }
    Ok(None)
}

/// The directory of `size` bytes that ends at `end`, if there is one.
fn directory_at(content: &dyn ReadAt, end: u64, size: u64, stated: u64) -> io::Result<Option<Directory>> {
    let Some(offset) = end.checked_sub(size) else { return Ok(None) };
    let Some(shift) = offset.checked_sub(stated) else { return Ok(None) };
    let is_directory = size <= DEFLATE_DIRECTORY_BYTES && bytes_at::<4>(content, offset)? == Some(CENTRAL);
    Ok(is_directory.then_some(Directory { offset, size, shift }))
}

/// The members that are worth a look: deflated or stored, not encrypted.
fn records(content: &dyn ReadAt, directory: &Directory) -> io::Result<Vec<Record>> {
    let mut bytes = vec![0; usize::try_from(directory.size).unwrap_or_default()];
    content.read_exact_at(&mut bytes, directory.offset)?;
    let mut found = Vec::new();
    let mut rest = bytes.as_slice();
    while rest.len() >= 46 && rest.starts_with(&CENTRAL) {
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
        let end = 46 + name + extra + comment;
        let Some(record) = rest.get(..end) else { break };
        let method = u16_at(record, 10);
        if matches!(method, DEFLATED | STORED)
            && u16_at(record, 8) & ENCRYPTED == 0
            && let Some((size, header)) = size_and_header(record, &record[46 + name..46 + name + extra])
            && let Some(header) = header.checked_add(directory.shift)
        {
            found.push(Record { name: record[46..46 + name].to_vec(), header, size, is_stored: method == STORED });
        }
        rest = &rest[end..];
    }
    Ok(found)
}

/// The compressed size and the local header's offset, from the zip64 field where the short ones are full (4.5.3).
fn size_and_header(record: &[u8], extra: &[u8]) -> Option<(u64, u64)> {
    let [size, plain, header] = [20, 24, 42].map(|at| u32_at(record, at));
    let mut wide = field(extra, SIZES_64).unwrap_or_default();
    let mut widen = |short: u32| {
        if short != u32::MAX {
            return Some(u64::from(short));
        }
        let (first, rest) = wide.split_at_checked(8)?;
        wide = rest;
        Some(u64_at(first, 0))
    };
    widen(plain)?;
    Some((widen(size)?, widen(header)?))
}

/// The data of the extra field `id`.
fn field(mut extra: &[u8], id: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let data = extra.get(4..4 + usize::from(u16_at(extra, 2)))?;
        if u16_at(extra, 0) == id {
            return Some(data);
        }
        extra = &extra[4 + data.len()..];
    }
    None
}

/// Where the member's bytes start behind its local header (4.3.7).
fn data_start(content: &dyn ReadAt, header: u64) -> io::Result<Option<u64>> {
    let local = bytes_at::<30>(content, header)?.filter(|bytes| bytes.starts_with(&LOCAL));
    Ok(local.map(|bytes| header + 30 + u64::from(u16_at(&bytes, 26)) + u64::from(u16_at(&bytes, 28))))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
