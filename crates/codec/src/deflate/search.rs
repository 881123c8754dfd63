//! Finds out how a stream was made, by making it again and comparing every byte.

use std::io::{self, Read, Write};

use rayon::prelude::*;

use super::located::{Located, Wrapping};
use super::recreate::{Recreation, recreate};
use crate::flate::{gnu, zlib};
use crate::{ReadAt, Reader, Slice};

/// The first streams are tried with every setting; the others first with what those had.
const SAMPLED: usize = 8;

/// Encoders may go over so many times the plain bytes of a stream, and over this many bytes more, before it is given up.
const PASSES: u64 = 6;
const FREE_BYTES: u64 = 16 << 20;

/// zlib's default memory level and the largest.
const MEMORY_LEVELS: [u8; 2] = [8, 9];
const DEFAULT: u8 = 0;
const FILTERED: u8 = 1;

const BUSYBOX_LEVEL: u8 = 6;

/// For each stream how it is made again, or `None`; the same for any number of threads.
pub(super) fn search(
    content: &dyn ReadAt,
    plain: &dyn ReadAt,
    streams: &[Located],
) -> io::Result<Vec<Option<Recreation>>> {
    let (first, others) = streams.split_at(streams.len().min(SAMPLED));
    let try_all = |streams: &[Located], hints: &Hints| -> io::Result<Vec<Option<Recreation>>> {
        streams.par_iter().map(|located| find(content, plain, located, hints)).collect()
    };
    let mut found = try_all(first, &Hints { favourites: Vec::new(), runs_encoders: true })?;
    found.extend(try_all(others, &Hints::from_sample(&found))?);
    Ok(found)
}

/// What the first streams of a content say about the others.
struct Hints {
    /// What gave the bytes of some.
    favourites: Vec<Recreation>,
    runs_encoders: bool,
}

impl Hints {
    fn from_sample(sample: &[Option<Recreation>]) -> Self {
        let mut favourites = Vec::new();
        for recreation in sample.iter().flatten() {
            if !favourites.contains(recreation) {
                favourites.push(recreation.clone());
            }
        }
        Self { runs_encoders: !favourites.is_empty(), favourites }
    }
}

fn find(content: &dyn ReadAt, plain: &dyn ReadAt, located: &Located, hints: &Hints) -> io::Result<Option<Recreation>> {
    let Some(plain) = Slice::new(plain, located.plain_offset, located.plain_length) else { return Ok(None) };
    let mut budget = FREE_BYTES + PASSES * located.plain_length;
    let candidates = if hints.runs_encoders { candidates(located, &hints.favourites) } else { Vec::new() };
    for recreation in candidates {
        if is_exact(content, &plain, located, &recreation, &mut budget)? {
            return Ok(Some(recreation));
        }
        if budget == 0 {
            break;
        }
    }
    Ok(None)
}

/// What may have made the stream, the likely encoders first.
fn candidates(located: &Located, favourites: &[Recreation]) -> Vec<Recreation> {
    let mut found = favourites.to_vec();
    let others = zlib_settings(located).into_iter().map(Recreation::Zlib);
    let others = others.chain(gzip_settings(located).into_iter().map(Recreation::Gnu));
    found.extend(others.filter(|recreation| !favourites.contains(recreation)));
    found
}

fn zlib_settings(located: &Located) -> Vec<zlib::Settings> {
    let strategies: &[u8] = match located.wrapping {
        Wrapping::Idat(..) => &[FILTERED, DEFAULT],
        _ => &[DEFAULT],
    };
    let windows = match located.wrapping {
        Wrapping::Zlib(header) | Wrapping::Idat(header, _) if header[0] < 0x78 => vec![(header[0] >> 4) + 8, 15],
        _ => vec![15],
    };
    let mut found = Vec::new();
    for &window in &windows {
        for &strategy in strategies {
            for memory_level in MEMORY_LEVELS {
                let settings = |level: &u8| zlib::Settings::new(*level, window, memory_level, strategy);
                found.extend(located.levels.iter().filter_map(settings));
            }
        }
    }
    found
}

/// Gzip programs write gzip files only, and busybox's has one level.
fn gzip_settings(located: &Located) -> Vec<gnu::Settings> {
    if located.wrapping != Wrapping::Gzip {
        return Vec::new();
    }
    let gzip = located.levels.iter().filter_map(|level| gnu::Settings::new(gnu::Program::Gzip, *level));
    gzip.chain(gnu::Settings::new(gnu::Program::Busybox, BUSYBOX_LEVEL)).collect()
}

/// Whether `recreation` gives the very bytes of the content, found out by comparing all of them.
fn is_exact(
    content: &dyn ReadAt,
    plain: &Slice<&dyn ReadAt>,
    located: &Located,
    recreation: &Recreation,
    budget: &mut u64,
) -> io::Result<bool> {
    let mut compare = Compare { content, at: located.offset, end: located.end(), is_equal: true, held: Vec::new() };
    let source = Counted { inner: Reader::new(plain), left: budget };
    match recreate(&located.wrapping, recreation, source, &mut compare) {
        Ok(()) => Ok(compare.is_equal && compare.at == compare.end),
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::QuotaExceeded) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Fails with [`io::ErrorKind::InvalidData`] at the first byte that is another than the content's.
struct Compare<'a> {
    content: &'a dyn ReadAt,
    at: u64,
    end: u64,
    is_equal: bool,
    held: Vec<u8>,
}

impl Write for Compare<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.held.resize(buffer.len(), 0);
        let fits = self.at + buffer.len() as u64 <= self.end;
        if fits {
            self.content.read_exact_at(&mut self.held, self.at)?;
        }
        self.is_equal &= fits && self.held == buffer;
        if !self.is_equal {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.at += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails with [`io::ErrorKind::QuotaExceeded`] when more is read than there is left.
struct Counted<'a, R> {
    inner: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        *self.left = self.left.saturating_sub(count as u64);
        if *self.left == 0 {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(count)
    }
}
