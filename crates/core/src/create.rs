//! Makes a package: what the bases have is left out, the rest is coded against them.

mod bases;
mod blobs;
mod choice;
mod held;
mod image;
mod layout_index;
mod proof;
mod sketch;
mod standard;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::{BlobCompression, Document, Image, Layer, Platform, UncheckedLayer, layers_of};
use crate::job::choices::{CompressionOptions, Identity, Method};
use crate::job::context::Context;
use crate::layer::coding::{self, Candidates, Coding};
use crate::layer::matcher::Library;
use crate::layer::tar_index::TarIndex;
use crate::limits;
use crate::package::features::{ImageFeature, LayerCodec, UNMEASURED};
use crate::package::metadata::{BaseEntry, FORMAT, LayerBlob, LayerEntry, Metadata, Origin};
use crate::package::{Member, PACKED};
use bases::{BaseReader, Bases};
use blobs::Blobs;
use choice::Choice;
use held::Sizes;
pub use proof::Prepared;
pub use standard::create_standard;
pub use stream::create_stream;

/// What the user chose.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// How layers are coded.
    pub method: Method,
    /// How bytes are made fewer.
    pub compression: CompressionOptions,
    /// Which identity must come back.
    pub identity: Identity,
    /// The platforms to take of images for several; all that are there when empty.
    pub platforms: Vec<Platform>,
}

/// Prepares the package that makes `targets` out of `bases`.
///
/// # Errors
/// Content errors when an image is not what its digests say; environment errors when room or a file fails.
pub fn create(targets: &[Image], bases: &[Image], options: &CreateOptions, context: Context<'_>) -> Result<Prepared> {
    bases::with_cache(context, &|context| prepare(targets, bases, options, context))
}

fn prepare(targets: &[Image], bases: &[Image], options: &CreateOptions, context: Context<'_>) -> Result<Prepared> {
    let targets = image::chosen(targets, bases, options)?;
    let held = distinct_layers(bases);
    let wanted = distinct_layers(&targets);
    let blobs = Blobs::new(&targets, bases, options.compression, context)?;
    let carried = blobs.layers()?;
    let sides = Sides { bases, targets: &targets, held: &held, wanted: &wanted };
    let code = || Layers::code(&sides, &carried, options, context);
    let (layers, blobs) = rayon::join(code, || blobs.settled(context));
    let (Layers { mut coded, known }, blobs) = (layers?, blobs?);
    let blobs = blobs.carried(&mut coded, options.compression, context)?;
    let layout_index = layout_index::of(&targets)?;
    let documents = image::documents(&targets, layout_index.as_ref(), options)?;
    let packed = documents.iter().filter(|member| member.name == PACKED).map(|_| ImageFeature::PackedDocuments);
    let image_features = layout_index.iter().map(|_| ImageFeature::LayoutIndex).chain(packed);
    let image_features = image_features.map(|feature| feature.name().to_owned());
    let features: BTreeSet<String> = blobs.features.iter().cloned().chain(image_features).collect();
    let assemble = |coded: &[Coded]| {
        let metadata = Metadata {
            format: FORMAT,
            requires: coded.iter().flat_map(|layer| &layer.features).chain(&features).cloned().collect(),
            created_by: crate::created_by(),
            method: options.method,
            identity: options.identity,
            compression: options.compression.compressor.name().to_owned(),
            level: options.compression.level.number(),
            images: targets.iter().map(image::entry).collect(),
            layout_index: layout_index.as_ref().map(Document::digest),
            stream: None,
            bases: bases.iter().map(base_entry).collect(),
            layers: coded.iter().map(|layer| layer.entry.clone()).collect(),
            blobs: blobs.entries.clone(),
            members: Vec::new(),
        };
        let layers = coded.iter().flat_map(|layer| &layer.members);
        (metadata, documents.iter().chain(layers).chain(&blobs.members).cloned().collect())
    };
    proof::proved(coded, assemble, &known, (options.method, options.compression), context)
}

/// Reads every layer of `images` and compares it with its digest; [`create`] reads only what it needs.
///
/// # Errors
/// Content errors when one has other bytes, and what reading reports.
pub fn check_layers(images: &[Image], context: Context<'_>) -> Result<()> {
    let layers = distinct_layers(images);
    let layers: Vec<&Layer> = layers.iter().collect();
    BaseReader { is_indexed: false, measured: BTreeSet::new(), context: Context { cache: None, ..context } }
        .read(&layers)
        .map(drop)
}

/// What [`create`] takes at the least, as far as that is known before a layer is read.
pub struct Room {
    /// Blobs that are fetched from far, with their sizes.
    pub fetched: BTreeMap<BlobDigest, u64>,
    /// Bytes of temporary files: layers that are unpacked, and each that travels, which is rebuilt to prove the package.
    pub temporary: u64,
    /// Bytes of the layers that travel: about as much as a package may take at the most.
    pub travelling: u64,
}

/// Says what is needed before anything is read.
///
/// # Errors
/// Usage errors when a platform is not there.
pub fn room(targets: &[Image], bases: &[Image], options: &CreateOptions) -> Result<Room> {
    let manifest = CreateOptions { identity: Identity::Manifest, ..options.clone() };
    let targets = image::chosen(targets, bases, &manifest)?;
    let (held, wanted) = (distinct_layers(bases), distinct_layers(&targets));
    let held_ids: BTreeSet<DiffId> = held.iter().map(|layer| layer.diff_id).collect();
    let missing: Vec<&Layer> = wanted.iter().filter(|layer| !held_ids.contains(&layer.diff_id)).collect();
    let uses_bases = options.method != Method::Layer && !missing.is_empty();
    let mut read = held::read(&held, (bases, &targets), &missing, uses_bases);
    read.extend(missing.iter().copied());
    let blobs: BTreeSet<BlobDigest> = layers_of(bases).map(|layer| layer.blob).collect();
    // Compressed otherwise than in any base, or to be measured without its compression.
    let near = image::near(bases);
    let is_needed = |layer: &&Layer| match options.identity {
        Identity::Manifest => !blobs.contains(&layer.blob),
        Identity::Config => !near.contains_key(&layer.diff_id),
    };
    read.extend(layers_of(&targets).filter(is_needed));
    let read: BTreeMap<BlobDigest, &Layer> = read.into_iter().map(|layer| (layer.blob, layer)).collect();
    let unpacked = read.values().filter(|layer| layer.compression != BlobCompression::None);
    let travelling = missing.iter().map(|layer| layer.blob_size).sum();
    Ok(Room {
        travelling,
        temporary: unpacked.map(|layer| layer.blob_size).sum::<u64>() + travelling,
        fetched: read
            .values()
            .filter(|layer| layer.content.is_far())
            .map(|layer| (layer.blob, layer.blob_size))
            .collect(),
    })
}

/// One layer of the targets, coded.
struct Coded {
    entry: LayerEntry,
    /// What a reader must know.
    features: Vec<String>,
    members: Vec<Member>,
}

impl Coded {
    fn new(target: &UncheckedLayer, coding: Coding) -> Self {
        let entry = LayerEntry { diff_id: target.diff_id(), size: Some(target.bytes().len()), origin: coding.origin() };
        Self { entry, features: coding.features().collect(), members: coding.members }
    }
}

/// Every layer once, in the order in which the images name them; of several copies one that is near.
fn distinct_layers(images: &[Image]) -> Vec<Layer> {
    let mut places: BTreeMap<DiffId, usize> = BTreeMap::new();
    let mut found: Vec<Layer> = Vec::new();
    for layer in layers_of(images) {
        let at = *places.entry(layer.diff_id).or_insert(found.len());
        match found.get_mut(at) {
            None => found.push(layer.clone()),
            Some(known) if known.content.is_far() && !layer.content.is_far() => *known = layer.clone(),
            Some(_) => {}
        }
    }
    found
}

/// The images of both sides, and their layers, each once.
struct Sides<'a> {
    bases: &'a [Image],
    targets: &'a [Image],
    held: &'a [Layer],
    wanted: &'a [Layer],
}

/// The layers of the targets, in their order.
struct Layers {
    coded: Vec<Coded>,
    known: LayersAtHand,
}

/// What layers are coded against, and those that are coded.
pub(crate) struct LayersAtHand {
    /// They were compared with their digests, or what is read of them is compared with what was found out when they were.
    pub(crate) bases: Vec<UncheckedLayer>,
    pub(crate) targets: Vec<UncheckedLayer>,
    /// Whether something about the bases was found out before.
    pub(crate) is_remembered: bool,
}

/// The layers that are read, and for method `auto` their indexes, which are made while the bases are hashed.
struct ReadLayers {
    known: LayersAtHand,
    indexes: Vec<TarIndex>,
}

impl ReadLayers {
    fn read(
        bases: &[&Layer],
        (targets, wanted): (&[&Layer], &[Layer]),
        method: Method,
        context: Context<'_>,
    ) -> Result<Self> {
        let targets = targets.iter().copied().map(UncheckedLayer::of).collect::<Result<Vec<_>>>()?;
        let is_indexed = method == Method::Auto && !targets.is_empty();
        let reader = BaseReader { is_indexed, measured: wanted.iter().map(|layer| layer.diff_id).collect(), context };
        let index = || if is_indexed { indexed(&targets) } else { Ok(Vec::new()) };
        let (bases, own) = rayon::join(|| reader.read(bases), index);
        let Bases { layers: bases, mut indexes, is_remembered } = bases?;
        indexes.extend(own?);
        Ok(Self { known: LayersAtHand { bases, targets, is_remembered }, indexes })
    }
}

fn indexed(layers: &[UncheckedLayer]) -> Result<Vec<TarIndex>> {
    let index = |layer: &UncheckedLayer| {
        TarIndex::new(layer.bytes()).map_err(Error::io(format!("reading the target layer {}", layer.diff_id().short())))
    };
    layers.par_iter().map(index).collect()
}

impl Layers {
    fn code(
        &Sides { bases, targets, held, wanted }: &Sides<'_>,
        blobs: &BTreeMap<DiffId, (String, u64)>,
        options: &CreateOptions,
        context: Context<'_>,
    ) -> Result<Self> {
        let held_ids: BTreeSet<DiffId> = held.iter().map(|layer| layer.diff_id).collect();
        let is_missing = |diff_id| !held_ids.contains(diff_id) && !blobs.contains_key(diff_id);
        let missing: Vec<&Layer> = wanted.iter().filter(|layer| is_missing(&layer.diff_id)).collect();
        let images = (bases, targets);
        let uses_bases = options.method != Method::Layer && !missing.is_empty();
        let read = held::read(held, images, &missing, uses_bases);
        let ReadLayers { known, indexes } = ReadLayers::read(&read, (&missing, wanted), options.method, context)?;
        let mut coded = code_missing(&known, indexes, options, context)?;
        let sizes = Sizes::of(images);
        let read: BTreeMap<DiffId, u64> = known.bases.iter().map(|base| (base.diff_id(), base.bytes().len())).collect();
        let other = |layer: &Layer| match (blobs.get(&layer.diff_id), read.get(&layer.diff_id)) {
            (Some((member, size)), _) if !held_ids.contains(&layer.diff_id) => Ok(carried_layer(layer, member, *size)),
            (_, Some(size)) => Ok(held_layer(layer.diff_id, Some(*size))),
            (_, None) => Ok(held_layer(layer.diff_id, sizes.get(layer)?)),
        };
        let coded = wanted.iter().map(|layer| coded.remove(&layer.diff_id).map_or_else(|| other(layer), Ok));
        Ok(Self { coded: coded.collect::<Result<_>>()?, known })
    }
}

fn code_missing(
    known: &LayersAtHand,
    indexes: Vec<TarIndex>,
    options: &CreateOptions,
    context: Context<'_>,
) -> Result<BTreeMap<DiffId, Coded>> {
    let targets = &known.targets;
    let pool = LayerPool::new(options.method, known, indexes)?;
    let code = |(index, target): (usize, &UncheckedLayer)| {
        code_layer(target, &pool, index, options, context).map(|coded| (target.diff_id(), coded))
    };
    // Small layers are coded side by side; a large one gets the memory that all of them together may take.
    let numbered = || targets.iter().enumerate();
    let is_small = |target: &UncheckedLayer| target.bytes().len() <= limits::PARALLEL_LAYER_BYTES;
    let small: Vec<_> = numbered().filter(|(_, target)| is_small(target)).collect();
    let mut coded: BTreeMap<DiffId, Coded> = small.into_par_iter().map(code).collect::<Result<_>>()?;
    for large in numbered().filter(|(_, target)| !is_small(target)) {
        coded.extend([code(large)?]);
    }
    Ok(coded)
}

/// A layer that is a carried blob without its compression.
fn carried_layer(layer: &Layer, member: &str, size: u64) -> Coded {
    let codec = LayerCodec::Whole;
    let origin = Origin::Coded { codec, bases: Vec::new(), members: vec![member.to_owned()], recompressed: 0 };
    let entry = LayerEntry { diff_id: layer.diff_id, size: Some(size), origin };
    Coded { entry, features: vec![codec.name().to_owned()], members: Vec::new() }
}

/// A layer that a base has, with its size unless it was not read.
fn held_layer(diff_id: DiffId, size: Option<u64>) -> Coded {
    let features = if size.is_none() { vec![UNMEASURED.to_owned()] } else { Vec::new() };
    Coded { entry: LayerEntry { diff_id, size, origin: Origin::Held }, features, members: Vec::new() }
}

fn code_layer(
    target: &UncheckedLayer,
    pool: &LayerPool,
    index: usize,
    options: &CreateOptions,
    context: Context<'_>,
) -> Result<Coded> {
    let _task = context.progress.begin(&format!("Coding layer {}", target.diff_id().short()), None);
    let chosen = pool.bases_of(index);
    let coding =
        coding::encode_smallest(options.method, pool.candidates(index, &chosen), target, options.compression, context)?;
    Ok(Coded::new(target, coding))
}

/// What layers are coded against: the bases, then the targets.
struct LayerPool {
    layers: Vec<UncheckedLayer>,
    /// The number of the first target.
    first: usize,
    /// For method `auto`.
    library: Option<Library>,
    /// For the standard formats.
    choice: Choice,
}

impl LayerPool {
    fn new(method: Method, LayersAtHand { bases, targets, .. }: &LayersAtHand, indexes: Vec<TarIndex>) -> Result<Self> {
        let layers: Vec<_> = bases.iter().chain(targets).cloned().collect();
        let indexed = layers.iter().map(|layer| layer.bytes().clone()).zip(indexes);
        let is_auto = method == Method::Auto && !targets.is_empty();
        let library = is_auto.then(|| Library::of(indexed)).transpose().map_err(Error::io("reading the layers"))?;
        let uses_choice = matches!(method, Method::Xdelta3 | Method::Bsdiff) && !targets.is_empty();
        let (first, choice) = (bases.len(), Choice::default());
        let choice = if uses_choice { Choice::new(&layers[..first], targets)? } else { choice };
        Ok(Self { layers, first, library, choice })
    }

    fn bases_of(&self, index: usize) -> Vec<UncheckedLayer> {
        let (bases, targets) = self.layers.split_at(self.first);
        self.choice.bases_of(index, bases, targets)
    }

    fn candidates<'a>(&'a self, index: usize, chosen: &'a [UncheckedLayer]) -> Candidates<'a> {
        match &self.library {
            Some(library) => Candidates::Library(library, &self.layers, self.first + index),
            None => Candidates::Layers(chosen),
        }
    }
}

fn base_entry(image: &Image) -> BaseEntry {
    let layers = image.manifests.iter().flat_map(|manifest| &manifest.layers);
    BaseEntry {
        names: image.names.clone(),
        root: image.root.digest,
        configs: image.manifests.iter().map(|manifest| manifest.config).collect(),
        layers: layers.map(|layer| LayerBlob { diff_id: layer.diff_id, blob: layer.blob }).collect(),
    }
}
