//! Finds out how a stream was made, by making it again and comparing every byte.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;

use super::located::Located;
use crate::encoder::{Encoder, candidates, is_same, trial};
use crate::{ReadAt, Slice};

/// The first streams are tried with every setting; the others first with what those had.
const SAMPLED: usize = 8;

/// Encoders may go over so many times the plain bytes of a stream, and over this many bytes more, before it is given up.
const PASSES: u64 = 6;
const FREE_BYTES: u64 = 64 << 20;

/// For each stream the encoder that makes it again, or `None`; the same for any number of threads.
pub(super) fn search(
    content: &dyn ReadAt,
    plain: &dyn ReadAt,
    streams: &[Located],
) -> io::Result<Vec<Option<Arc<dyn Encoder>>>> {
    let (first, others) = streams.split_at(streams.len().min(SAMPLED));
    let find = |streams: &[Located], favourites: &[Arc<dyn Encoder>]| -> io::Result<Vec<_>> {
        streams.par_iter().map(|located| find(content, plain, located, favourites)).collect()
    };
    let mut found = find(first, &[])?;
    let favourites = distinct(&found);
    if favourites.is_empty() {
        // Nobody tries every encoder on thousands of members of which none is known.
        found.resize(streams.len(), None);
    } else {
        found.extend(find(others, &favourites)?);
    }
    Ok(found)
}

fn distinct(found: &[Option<Arc<dyn Encoder>>]) -> Vec<Arc<dyn Encoder>> {
    let mut distinct: Vec<Arc<dyn Encoder>> = Vec::new();
    for encoder in found.iter().flatten() {
        if !distinct.iter().any(|other| is_same(&**other, &**encoder)) {
            distinct.push(encoder.clone());
        }
    }
    distinct
}

fn find(
    content: &dyn ReadAt,
    plain: &dyn ReadAt,
    located: &Located,
    favourites: &[Arc<dyn Encoder>],
) -> io::Result<Option<Arc<dyn Encoder>>> {
    let Some(plain) = Slice::new(plain, located.plain_offset, located.plain_length) else { return Ok(None) };
    let budget = AtomicU64::new(FREE_BYTES + PASSES * located.plain_length);
    let found = trial::find(candidates(&located.origin, favourites), &plain, &located.deflated(content), &budget)?;
    Ok(found.ok().map(|maker| maker.tried))
}
