//! The layers of the bases, read as a whole, or as far as they are used where an index of them was kept.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use delta_codec::ReadAt;
use rayon::prelude::*;

use crate::digest::DiffId;
use crate::error::{Error, Kind, Result};
use crate::image::{BlobCompression, Layer, UncheckedLayer, VerifiedLayer, plain_bytes};
use crate::job::cache::IndexCache;
use crate::job::context::Context;
use crate::job::progress::Task;
use crate::layer::base_index::BaseIndex;
use crate::layer::blocks::{BlockHasher, CheckedBytes};
use crate::layer::tar_index::TarIndex;
use crate::limits::KEPT_BASE_BYTES;

/// Does what needs bases. When it fails with something that was kept of them, it is done again with nothing but the bases themselves, so
/// that what was kept is never the reason of an error, and a base that was damaged since is found.
pub(super) fn with_cache<T>(context: Context<'_>, job: &dyn Fn(Context<'_>) -> Result<T>) -> Result<T> {
    let Some(cache) = context.cache else { return job(context) };
    let asked = Asked { cache, gave: AtomicBool::new(false) };
    match job(Context { cache: Some(&asked), ..context }) {
        Err(error) if asked.gave.into_inner() && matches!(error.kind(), Kind::Content | Kind::Internal) => {
            context.progress.detail(format_args!(
                "what was kept of the base layers may be wrong, so they are read as a whole: {error}"
            ));
            job(Context { cache: Some(&Replaced(cache)), ..context })
        }
        done => done,
    }
}

/// A cache, and whether anything came out of it.
struct Asked<'a> {
    cache: &'a dyn IndexCache,
    gave: AtomicBool,
}

impl IndexCache for Asked<'_> {
    fn load(&self, layer: DiffId) -> Option<Vec<u8>> {
        let found = self.cache.load(layer);
        self.gave.fetch_or(found.is_some(), Ordering::Relaxed);
        found
    }

    fn store(&self, layer: DiffId, index: &[u8]) {
        self.cache.store(layer, index);
    }
}

/// A cache of which nothing is believed.
struct Replaced<'a>(&'a dyn IndexCache);

impl IndexCache for Replaced<'_> {
    fn load(&self, _: DiffId) -> Option<Vec<u8>> {
        None
    }

    fn store(&self, layer: DiffId, index: &[u8]) {
        self.0.store(layer, index);
    }
}

/// The base layers in the order in which they were asked for.
pub(super) struct Bases {
    pub(super) layers: Vec<UncheckedLayer>,
    /// One for each layer, where they were wanted.
    pub(super) indexes: Vec<TarIndex>,
    /// Whether something about one of them was found out before.
    pub(super) is_remembered: bool,
}

/// Reads base layers.
pub(super) struct BaseReader<'a> {
    /// Whether their entries are wanted.
    pub(super) is_indexed: bool,
    /// Layers whose lengths go into the package, so that nobody is believed about them.
    pub(super) measured: BTreeSet<DiffId>,
    pub(super) context: Context<'a>,
}

type Base = (UncheckedLayer, Option<TarIndex>);

impl BaseReader<'_> {
    pub(super) fn read(&self, layers: &[&Layer]) -> Result<Bases> {
        let remembered = layers.par_iter().map(|layer| self.remembered(layer)).collect::<Result<Vec<_>>>()?;
        let is_remembered = remembered.iter().any(Option::is_some);
        let unknown = layers.iter().zip(&remembered).filter(|(_, found)| found.is_none());
        let unknown: Vec<&Layer> = unknown.map(|(layer, _)| *layer).collect();
        let task = self.context.progress.begin("Checking base layers", plain_bytes(&unknown));
        let read =
            |(layer, found): (&&Layer, Option<Base>)| found.map_or_else(|| self.checked(layer, task.as_ref()), Ok);
        let bases = layers.par_iter().zip(remembered).map(read).collect::<Result<Vec<_>>>()?;
        let (layers, indexes): (_, Vec<_>) = bases.into_iter().unzip();
        Ok(Bases { layers, indexes: indexes.into_iter().flatten().collect(), is_remembered })
    }

    /// The layer by what was kept of it, if that says all that is wanted.
    fn remembered(&self, layer: &Layer) -> Result<Option<Base>> {
        let Some(cache) = self.cache_for(layer) else { return Ok(None) };
        let found = cache.load(layer.diff_id).and_then(|bytes| BaseIndex::decode(layer.diff_id, &bytes));
        let Some(BaseIndex { length, block_hashes, entries }) = found else { return Ok(None) };
        if entries.is_none() && self.is_indexed || !self.has_length(layer, length)? {
            return Ok(None);
        }
        let short = layer.diff_id.short();
        self.context.progress.detail(format_args!(
            "the base layer {short} is known from before: of its {length} bytes only those that are used are read"
        ));
        let bytes = CheckedBytes::new(layer.content.clone(), length, block_hashes);
        let layer = UncheckedLayer::remembered(layer.diff_id, Arc::new(bytes));
        Ok(Some((layer, entries.filter(|_| self.is_indexed))))
    }

    /// Whether the layer has this length, as far as it can be told without reading all of it: where it must be known, and cannot be told,
    /// it has not.
    fn has_length(&self, layer: &Layer, length: u64) -> Result<bool> {
        let is_far = layer.content.is_far();
        match layer.compression {
            BlobCompression::None => Ok(layer.content.plain()?.len() == length),
            _ if !self.measured.contains(&layer.diff_id) => Ok(true),
            BlobCompression::Gzip if !is_far => ends_with_length(layer, length),
            BlobCompression::Gzip | BlobCompression::Zstd => Ok(false),
        }
    }

    /// Reads all of the layer, and keeps what is found out on the way.
    fn checked(&self, layer: &Layer, task: &dyn Task) -> Result<Base> {
        let what = format!("the base layer {}", layer.diff_id.short());
        let bytes = layer.content.plain()?;
        let cache = self.cache_for(layer);
        let (mut hasher, mut nothing) = (BlockHasher::default(), io::sink());
        let beside: &mut (dyn Write + Send) = if cache.is_some() { &mut hasher } else { &mut nothing };
        let index = |bytes: &dyn ReadAt| self.is_indexed.then(|| TarIndex::new(bytes)).transpose();
        let (checked, index) = VerifiedLayer::check_reading(layer.diff_id, bytes, (&what, task), beside, index)?;
        if let Some(cache) = cache
            && let Some(kept) =
                BaseIndex::encode(layer.diff_id, checked.bytes().len(), &hasher.finish(), index.as_ref())
        {
            cache.store(layer.diff_id, &kept);
        }
        Ok(((&checked).into(), index))
    }

    fn cache_for(&self, layer: &Layer) -> Option<&dyn IndexCache> {
        self.context.cache.filter(|_| layer.blob_size >= KEPT_BASE_BYTES)
    }
}

/// Whether a blob of gzip says that so many bytes are in it (RFC 1952, ISIZE), which it does modulo 2^32.
fn ends_with_length(layer: &Layer, length: u64) -> Result<bool> {
    let stored = layer.content.stored()?;
    let mut last = [0; 4];
    let start = stored.len().saturating_sub(last.len() as u64);
    stored
        .read_exact_at(&mut last, start)
        .map_err(Error::io(format!("reading the base layer {}", layer.diff_id.short())))?;
    Ok(u64::from(u32::from_le_bytes(last)) == length & u64::from(u32::MAX))
}
