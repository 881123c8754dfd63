//! Decides for every entry of a target layer what it is coded against.

mod names;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, OnceLock};

use delta_codec::ReadAt;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::layer::similarity::{SKETCHED_LENGTH, Sketches, sketch};
use crate::layer::tar_index::{Entry, TarIndex};
use names::{file_name, without_versions};

/// Shorter contents are not patched: a patch says where it starts and ends, which is as long.
const PATCHED_LENGTH: u64 = 48;

/// Candidates that are compared with each other.
const CANDIDATES: usize = 32;

/// A name alone makes a match only of contents whose lengths differ by less than this factor.
const LENGTH_FACTOR: u64 = 4;

/// Where a content comes from. Numbers are those of [`Library`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// There is no content.
    Empty,
    /// The content of an entry in an earlier layer.
    Same(u32),
    /// The content of an earlier entry in the same layer.
    Repeat(u32),
    /// It looks like the content of an entry in an earlier layer.
    Like(u32),
    /// It looks like nothing.
    New,
}

/// What an entry is coded against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryMatch {
    /// The entry in an earlier layer whose header looks like this one's.
    pub(crate) header: Option<u32>,
    pub(crate) content: Source,
}

impl EntryMatch {
    /// What the content comes from: one that repeats a patched one is patched too.
    pub(crate) fn resolved(self, matches: &[Self]) -> Source {
        match self.content {
            Source::Repeat(first) => match matches[first as usize].content {
                Source::New => self.content,
                other => other,
            },
            other => other,
        }
    }
}

/// A layer and its index.
pub(crate) struct IndexedLayer {
    pub(crate) bytes: Arc<dyn ReadAt>,
    pub(crate) index: TarIndex,
    /// The number of its first entry.
    pub(crate) first: u32,
}

/// Layers in the order in which they can be read when a package is applied: those of the bases, then those of the targets.
/// Their entries are numbered one behind the other.
pub struct Library {
    layers: Vec<IndexedLayer>,
    by_content: HashMap<u128, u32>,
    by_path: Chains,
    by_plain_path: Chains,
    by_plain_name: Chains,
    sketches: OnceLock<Sketches>,
}

impl Library {
    /// Reads all `layers` once.
    ///
    /// # Errors
    /// What reading reports, or more than 2^32 entries.
    pub fn new(layers: Vec<Arc<dyn ReadAt>>) -> io::Result<Self> {
        let indexed = layers.into_par_iter().map(|bytes| TarIndex::new(&bytes).map(|index| (bytes, index)));
        Self::of(indexed.collect::<io::Result<Vec<_>>>()?)
    }

    /// The same, of layers that were read.
    pub(crate) fn of(indexed: impl IntoIterator<Item = (Arc<dyn ReadAt>, TarIndex)>) -> io::Result<Self> {
        let mut library = Self {
            layers: Vec::new(),
            by_content: HashMap::new(),
            by_path: Chains::default(),
            by_plain_path: Chains::default(),
            by_plain_name: Chains::default(),
            sketches: OnceLock::new(),
        };
        let mut first = 0_u32;
        for (bytes, index) in indexed {
            let count = u32::try_from(index.entries().len()).map_err(io::Error::other)?;
            library.add(IndexedLayer { bytes, index, first });
            first = first.checked_add(count).ok_or_else(|| io::Error::other("more than 2^32 entries in all layers"))?;
        }
        Ok(library)
    }

    /// The bytes of layer number `layer`.
    pub(crate) fn bytes(&self, layer: usize) -> &Arc<dyn ReadAt> {
        &self.layers[layer].bytes
    }

    pub(crate) fn layer(&self, layer: usize) -> &IndexedLayer {
        &self.layers[layer]
    }

    /// The layer of entry `number`, and its number in there.
    pub(crate) fn locate(&self, number: u32) -> (usize, usize) {
        let layer = self.layers.partition_point(|layer| layer.first <= number) - 1;
        (layer, (number - self.layers[layer].first) as usize)
    }

    pub(crate) fn entry(&self, number: u32) -> &Entry {
        let (layer, entry) = self.locate(number);
        &self.layers[layer].index.entries()[entry]
    }

    /// What the entries of `layer` are coded against, in their order.
    pub(crate) fn matches(&self, layer: usize) -> io::Result<Vec<EntryMatch>> {
        let mut search =
            Search { library: self, layer: &self.layers[layer], partner: self.partner(layer), sketches: None };
        let count = search.layer.index.entries().len();
        if (0..count).into_par_iter().any(|entry| search.is_unknown(entry)) {
            search.sketches = Some(self.sketches()?);
        }
        (0..count).into_par_iter().map(|entry| search.entry(entry)).collect()
    }

    fn add(&mut self, layer: IndexedLayer) {
        for (entry, number) in (0..layer.index.entries().len()).zip(layer.first..) {
            let path = layer.index.path(entry);
            self.by_path.push(xxh3_64(path));
            let found_by_name = layer.index.entries()[entry].length >= PATCHED_LENGTH && !path.is_empty();
            let name = found_by_name.then(|| (without_versions(path), without_versions(file_name(path))));
            self.by_plain_path.push_or_skip(name.map(|(path, _)| path));
            self.by_plain_name.push_or_skip(name.map(|(_, name)| name));
            if layer.index.entries()[entry].length > 0 {
                self.by_content.entry(layer.index.hash(entry)).or_insert(number);
            }
        }
        self.layers.push(layer);
    }

    /// The earlier layer that has most paths in common with `layer`.
    fn partner(&self, layer: usize) -> Option<usize> {
        let layer = &self.layers[layer];
        let mut shared = vec![0_usize; self.layers.len()];
        for entry in 0..layer.index.entries().len() {
            for number in self.by_path.before(xxh3_64(layer.index.path(entry)), layer.first).take(CANDIDATES) {
                shared[self.locate(number).0] += 1;
            }
        }
        let most = shared.iter().max().filter(|most| **most > 0)?;
        shared.iter().position(|count| count == most)
    }

    fn sketches(&self) -> io::Result<&Sketches> {
        if let Some(sketches) = self.sketches.get() {
            return Ok(sketches);
        }
        let shared = self.shared();
        let mut sketches = Sketches::default();
        for layer in &self.layers {
            let sketch_of = |(number, entry): (usize, &Entry)| {
                if entry.length < SKETCHED_LENGTH || shared.contains(&layer.index.hash(number)) {
                    return Ok(Vec::new());
                }
                sketch(&layer.bytes, entry.content(), entry.length)
            };
            let all: Vec<_> = layer.index.entries().par_iter().enumerate().map(sketch_of).collect::<io::Result<_>>()?;
            all.iter().zip(layer.first..).for_each(|(sketch, number)| sketches.add(number, sketch));
        }
        Ok(self.sketches.get_or_init(|| sketches))
    }

    /// The hashes of contents that stand in several layers: what became another one stands in the earlier layer alone.
    fn shared(&self) -> HashSet<u128> {
        let hashes = self.layers.iter().flat_map(|layer| {
            let hashes = (0..layer.index.entries().len()).map(|entry| layer.index.hash(entry));
            hashes.filter(|hash| self.by_content.get(hash).is_some_and(|first| *first < layer.first))
        });
        hashes.collect()
    }
}

/// The search for one layer.
struct Search<'a> {
    library: &'a Library,
    layer: &'a IndexedLayer,
    partner: Option<usize>,
    /// Made when something is unknown by its path and content.
    sketches: Option<&'a Sketches>,
}

impl Search<'_> {
    fn entry(&self, entry: usize) -> io::Result<EntryMatch> {
        let same_path = self.same_path(entry);
        let content = self.content(entry, same_path)?;
        let header = same_path.filter(|number| self.library.entry(*number).has_header).or(match content {
            Source::Same(number) | Source::Like(number) => Some(number),
            _ => self.same_plain_path(entry),
        });
        Ok(EntryMatch { header: header.filter(|number| self.library.entry(*number).has_header), content })
    }

    /// The entry with the same path: rather one with the same content, rather one of the partner layer, rather a later one.
    fn same_path(&self, entry: usize) -> Option<u32> {
        let path = xxh3_64(self.layer.index.path(entry));
        let hash = self.layer.index.hash(entry);
        let rank = |number: u32| {
            let (layer, entry) = self.library.locate(number);
            (self.library.layers[layer].index.hash(entry) == hash, Some(layer) == self.partner, number)
        };
        self.library.by_path.before(path, self.layer.first).take(CANDIDATES).max_by_key(|number| rank(*number))
    }

    fn content(&self, entry: usize, same_path: Option<u32>) -> io::Result<Source> {
        let length = self.layer.index.entries()[entry].length;
        if length == 0 {
            return Ok(Source::Empty);
        }
        if let Some(source) = self.same_content(entry, same_path) {
            return Ok(source);
        }
        if length < PATCHED_LENGTH {
            return Ok(Source::New);
        }
        Ok(self.like(entry, same_path)?.map_or(Source::New, Source::Like))
    }

    fn same_content(&self, entry: usize, same_path: Option<u32>) -> Option<Source> {
        let hash = self.layer.index.hash(entry);
        let same = |number: &u32| {
            let (layer, entry) = self.library.locate(*number);
            self.library.layers[layer].index.hash(entry) == hash && self.library.entry(*number).length > 0
        };
        if let Some(number) = same_path.filter(same) {
            return Some(Source::Same(number));
        }
        let number = *self.library.by_content.get(&hash)?;
        match number.checked_sub(self.layer.first) {
            None => Some(Source::Same(number)),
            Some(earlier) => ((earlier as usize) < entry).then_some(Source::Repeat(earlier)),
        }
    }

    /// The entry whose content looks like this one's: by path, by path without versions, by what is in it, by name.
    fn like(&self, entry: usize, same_path: Option<u32>) -> io::Result<Option<u32>> {
        let Entry { length, .. } = self.layer.index.entries()[entry];
        let path = self.layer.index.path(entry);
        let long_enough = |number: &u32| self.library.entry(*number).length >= PATCHED_LENGTH;
        let by_path = same_path.filter(long_enough).filter(|_| !path.is_empty());
        if by_path.is_some() {
            return Ok(by_path);
        }
        let by_plain_path = self.same_plain_path(entry);
        if by_plain_path.is_some() {
            return Ok(by_plain_path);
        }
        if let Some(sketches) = self.sketches.filter(|_| length >= SKETCHED_LENGTH) {
            let content = self.layer.index.entries()[entry].content();
            let sketch = sketch(&self.layer.bytes, content, length)?;
            let alike = sketches.most_alike(&sketch, self.layer.first);
            if alike.is_some() {
                return Ok(alike);
            }
        }
        let by_name = self.library.by_plain_name.before(without_versions(file_name(path)), self.layer.first);
        let near = |number: &u32| {
            let other = self.library.entry(*number).length;
            other / LENGTH_FACTOR < length && length / LENGTH_FACTOR < other
        };
        let by_name = self.like_named(by_name, entry).filter(|_| !path.is_empty()).filter(near);
        Ok(by_name.or(same_path.filter(long_enough)))
    }

    fn same_plain_path(&self, entry: usize) -> Option<u32> {
        let path = self.layer.index.path(entry);
        let candidates = self.library.by_plain_path.before(without_versions(path), self.layer.first);
        self.like_named(candidates, entry).filter(|_| !path.is_empty())
    }

    /// Whether only a sketch can tell what the content is like.
    fn is_unknown(&self, entry: usize) -> bool {
        let same_path = self.same_path(entry);
        self.layer.index.entries()[entry].length >= SKETCHED_LENGTH
            && self.same_content(entry, same_path).is_none()
            && self.same_plain_path(entry).is_none()
            && (same_path.is_none() || self.layer.index.path(entry).is_empty())
    }

    /// Of entries that are named alike: the one whose path ends and starts most like this one's, then the nearest in length.
    fn like_named(&self, candidates: impl Iterator<Item = u32>, entry: usize) -> Option<u32> {
        let path = self.layer.index.path(entry);
        let length = self.layer.index.entries()[entry].length;
        let rank = |number: u32| {
            let (layer, entry) = self.library.locate(number);
            let other = self.library.layers[layer].index.path(entry);
            let ends = path.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
            let starts = path.iter().zip(other).take_while(|(one, other)| one == other).count();
            let distance = self.library.entry(number).length.abs_diff(length);
            (ends + starts, std::cmp::Reverse(distance), number)
        };
        candidates.take(CANDIDATES).max_by_key(|number| rank(*number))
    }
}

/// Numbers that share a key, from the highest down.
#[derive(Default)]
struct Chains {
    last: HashMap<u64, u32>,
    /// For each number the one before with the same key, counted from 1; 0 ends a chain.
    before: Vec<u32>,
}

impl Chains {
    fn push(&mut self, key: u64) {
        self.push_or_skip(Some(key));
    }

    /// Gives the next number a key, or none.
    fn push_or_skip(&mut self, key: Option<u64>) {
        let number = u32::try_from(self.before.len() + 1).unwrap_or(u32::MAX);
        let before = key.and_then(|key| self.last.insert(key, number)).unwrap_or(0);
        self.before.push(before);
    }

    /// The numbers below `end` with `key`.
    fn before(&self, key: u64, end: u32) -> impl Iterator<Item = u32> {
        let mut next = self.last.get(&key).copied().unwrap_or(0);
        std::iter::from_fn(move || {
            let number = next.checked_sub(1)?;
            next = self.before[number as usize];
            Some(number)
        })
        .skip_while(move |number| *number >= end)
    }
}
