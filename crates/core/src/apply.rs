//! Takes a package apart: which images it brings, which base layers that needs, and the blobs themselves.
//!
//! The order of use: [`images`] says what is to come, the sink says which blobs it lacks, [`needed_bases`] says what must
//! be read for them, and [`rebuild`] makes them. Every blob that leaves here was compared with its digest; a base that is
//! only built on is so by what is built on it.

mod cost;
mod delivery;
mod missing;
pub(crate) mod recreated;
mod standard;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use delta_codec::ReadAt;
use rayon::Scope;
use rayon::prelude::*;

use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::{Layer, UncheckedLayer, VerifiedBlob, VerifiedLayer, plain_bytes};
use crate::job::context::Context;
use crate::job::places::{Nowhere, Places, Room};
use crate::job::progress::{Silent, Task};
use crate::layer::coding::{self, Promised};
use crate::package::metadata::{BlobEntry, Index, LayerEntry, Metadata, Origin};
use crate::package::{Member, Package};
pub use cost::{Cost, sizes};
pub use delivery::{Delivery, images, measured, rename};
pub use standard::StandardDelta;
pub use stream::apply_stream;

/// The blobs that are wanted, each with the layer that it is.
pub type Wanted = BTreeMap<BlobDigest, DiffId>;

/// The layers of base images that must be read to make the `wanted` blobs.
pub fn needed_bases(metadata: &Metadata, wanted: &Wanted) -> BTreeSet<DiffId> {
    let index = Index::of(metadata);
    let is_stored = |entry: &BlobEntry| entry.member.is_none() && entry.recreated.is_none();
    let stored = wanted.iter().filter(|(blob, _)| index.blob(**blob).is_some_and(is_stored));
    stored.map(|(_, diff_id)| *diff_id).chain(plain_bases(metadata, &index, wanted)).collect()
}

/// Those of them that are read uncompressed.
fn plain_bases(metadata: &Metadata, index: &Index<'_>, wanted: &Wanted) -> BTreeSet<DiffId> {
    let is_held = |diff_id: &DiffId| !is_coded(index, *diff_id);
    let below = coded_layers(metadata, index, wanted).into_iter().flat_map(bases_of);
    made_into_blobs(index, wanted).into_iter().chain(below).filter(is_held).collect()
}

/// The layers that `wanted` blobs are, or are made of.
fn made_into_blobs(index: &Index<'_>, wanted: &Wanted) -> BTreeSet<DiffId> {
    wanted.iter().filter(|(blob, _)| is_made_of_layer(index, **blob)).map(|(_, diff_id)| *diff_id).collect()
}

/// Fails when a base layer that the `wanted` blobs need is not `there`: what [`rebuild`] would say, before anything is read.
///
/// # Errors
/// An environment error that says which images and layers to bring.
pub fn check_bases(metadata: &Metadata, wanted: &Wanted, there: &BTreeSet<DiffId>) -> Result<()> {
    missing::check(metadata, &needed_bases(metadata, wanted), there)
}

/// [`rebuild_at`] in temporary room.
///
/// # Errors
/// As that.
pub fn rebuild(
    package: &Package,
    wanted: &Wanted,
    bases: &[Layer],
    context: Context<'_>,
) -> Result<BTreeMap<BlobDigest, VerifiedBlob>> {
    rebuild_at(&Nowhere, package, wanted, bases, context)
}

/// Makes the `wanted` blobs out of the package and the `bases`, at their `places` where they have some. What a base gives is
/// believed by the digest of what is made of it.
///
/// # Errors
/// Environment errors when a base is missing (which images and layers to bring), content errors when a base has other bytes
/// or the package is damaged.
pub fn rebuild_at(
    places: &dyn Places,
    package: &Package,
    wanted: &Wanted,
    bases: &[Layer],
    context: Context<'_>,
) -> Result<BTreeMap<BlobDigest, VerifiedBlob>> {
    let metadata = package.metadata();
    check_bases(metadata, wanted, &bases.iter().map(|layer| layer.diff_id).collect())?;
    let index = Index::of(metadata);
    let made_into_blobs = made_into_blobs(&index, wanted);
    let (handed_over, built_on) =
        plain_bases(metadata, &index, wanted).into_iter().partition(|base| made_into_blobs.contains(base));
    let verified = verified_bases(&handed_over, bases, Room { places, context })?;
    let unchecked = unchecked_bases(&built_on, bases, context)?;
    rebuild_on(package, wanted, AtHand { stored: bases, unchecked, places, ..AtHand::of(verified) }, context)
}

/// What is there before anything is rebuilt.
pub(crate) struct AtHand<'a> {
    /// Base layers that were compared with their digests already.
    pub(crate) bases: BTreeMap<DiffId, VerifiedLayer>,
    /// Base layers that only others are built on: when one of these comes out wrong, they are compared.
    pub(crate) unchecked: BTreeMap<DiffId, UncheckedLayer>,
    /// Layers that may have blobs as the package wants them.
    pub(crate) stored: &'a [Layer],
    /// Layers that were there before they were coded: what is rebuilt must have their digests, and is not kept a second time.
    pub(crate) targets: BTreeMap<DiffId, UncheckedLayer>,
    /// Where the wanted blobs go.
    pub(crate) places: &'a dyn Places,
}

impl AtHand<'_> {
    pub(crate) const fn of(bases: BTreeMap<DiffId, VerifiedLayer>) -> Self {
        Self { bases, unchecked: BTreeMap::new(), stored: &[], targets: BTreeMap::new(), places: &Nowhere }
    }
}

/// [`rebuild`] on what is at hand.
pub(crate) fn rebuild_on(
    package: &Package,
    wanted: &Wanted,
    AtHand { bases, unchecked, stored, targets, places }: AtHand<'_>,
    context: Context<'_>,
) -> Result<BTreeMap<BlobDigest, VerifiedBlob>> {
    let mut of_layers: BTreeMap<DiffId, Vec<BlobDigest>> = BTreeMap::new();
    for (digest, diff_id) in wanted {
        of_layers.entry(*diff_id).or_default().push(*digest);
    }
    let index = Index::of(package.metadata());
    let room = Room { places, context };
    let blobs = Blobs { package, index, wanted, of_layers, stored, room, made: Mutex::default() };
    rayon::scope(|scope| {
        blobs.start_without_layers(scope);
        bases.values().for_each(|layer| blobs.start(scope, layer));
        let coded = coded_layers(package.metadata(), &blobs.index, wanted);
        let below = bases.iter().map(|(diff_id, layer)| (*diff_id, layer.into())).chain(unchecked).collect();
        rebuild_layers(package, coded, (below, &targets), &|layer| blobs.start(scope, layer), room)
    })?;
    let made = blobs.made.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(lost) = wanted.keys().find(|digest| !made.contains_key(digest)) {
        return Err(Error::internal(format!("nobody made the blob {lost}")));
    }
    made.into_iter().map(|(digest, blob)| Ok((digest, blob?))).collect()
}

/// The wanted blobs. Each is made as soon as its layer is there, beside layers that are still rebuilt.
struct Blobs<'a> {
    package: &'a Package,
    index: Index<'a>,
    wanted: &'a Wanted,
    /// The same by layer.
    of_layers: BTreeMap<DiffId, Vec<BlobDigest>>,
    stored: &'a [Layer],
    room: Room<'a>,
    made: Mutex<BTreeMap<BlobDigest, Result<VerifiedBlob>>>,
}

impl<'a> Blobs<'a> {
    fn add(&self, digest: BlobDigest, blob: Result<VerifiedBlob>) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, blob);
    }

    /// Takes the blobs that are not made of a layer.
    fn start_without_layers<'s>(&'s self, scope: &Scope<'s>) {
        for digest in self.wanted.keys().copied() {
            if let Some(BlobEntry { recreated: None, member, .. }) = self.index.blob(digest) {
                scope.spawn(move |_| self.add(digest, self.stored(digest, member.as_deref())));
            }
        }
    }

    /// Makes the blobs that are made of `layer`.
    fn start<'s>(&'s self, scope: &Scope<'s>, layer: &VerifiedLayer) {
        for digest in self.of_layers.get(&layer.diff_id()).into_iter().flatten().copied() {
            match self.index.blob(digest) {
                None => self.add(digest, Ok(layer.clone().into())),
                Some(BlobEntry { recreated: None, .. }) => {}
                Some(entry) => {
                    let layer = layer.clone();
                    scope.spawn(move |_| self.add(digest, recreated::blob(self.package, entry, &layer, self.room)));
                }
            }
        }
    }

    /// The bytes of a compressed blob: a member of the package, or a base image has the very same.
    fn stored(&self, digest: BlobDigest, member: Option<&str>) -> Result<VerifiedBlob> {
        let bytes = match member {
            Some(name) => self.package.member(name)?,
            None => {
                let base = self.stored.iter().find(|layer| layer.blob == digest).ok_or_else(|| absent(digest))?;
                base.content.stored()?
            }
        };
        let what = format!("the blob {}", digest.short());
        VerifiedBlob::check_placed(digest, bytes, (&what, &Silent), self.room)
    }
}

/// Whether a blob is its layer, or is made of it.
fn is_made_of_layer(index: &Index<'_>, blob: BlobDigest) -> bool {
    index.blob(blob).is_none_or(|entry| entry.recreated.is_some())
}

fn absent(digest: BlobDigest) -> Error {
    Error::environment(format!("the base holds the layer of blob {digest} only in another compression"))
        .with_hint("give an archive that has this blob with --base, or make the package with --identity config")
}

/// Rebuilds the `coded` layers round by round: in each, all whose bases are there. Each is handed to `take` as soon as it is rebuilt.
fn rebuild_layers(
    package: &Package,
    coded: Vec<&LayerEntry>,
    (mut below, targets): (BTreeMap<DiffId, UncheckedLayer>, &BTreeMap<DiffId, UncheckedLayer>),
    take: &(dyn Fn(&VerifiedLayer) + Sync),
    room: Room<'_>,
) -> Result<()> {
    let total = coded.iter().map(|layer| layer.known_size()).sum();
    let task = room.context.progress.begin("Rebuilding layers", Some(total));
    for round in rounds(coded) {
        let rebuilt = round.par_iter().map(|layer| {
            let bases = bases_of(layer).iter().map(|base| below.get(base)).collect::<Option<Vec<_>>>();
            let bases = bases.ok_or_else(|| Error::internal("a layer that waits for a base which is not there"))?;
            let rebuilt = rebuild_layer(package, layer, (&bases, targets), room, task.as_ref())
                .map_err(|error| other_base(&bases).unwrap_or(error))?;
            take(&rebuilt);
            Ok((layer.diff_id, (&rebuilt).into()))
        });
        let rebuilt = rebuilt.collect::<Result<Vec<_>>>()?;
        below.extend(rebuilt);
    }
    Ok(())
}

/// What is wrong with one of the bases of what did not come out right, if it is one of them.
fn other_base(bases: &[&UncheckedLayer]) -> Option<Error> {
    bases.iter().find_map(|base| base.check("the base layer").err())
}

/// The layers, which stand behind those that they are coded against, in rounds: none is coded against one of its own round or a later one.
fn rounds(layers: Vec<&LayerEntry>) -> Vec<Vec<&LayerEntry>> {
    let mut round_of: BTreeMap<DiffId, usize> = BTreeMap::new();
    let mut rounds: Vec<Vec<&LayerEntry>> = Vec::new();
    for layer in layers {
        let before = bases_of(layer).iter().filter_map(|base| round_of.get(base)).max().map(|round| round + 1);
        let round = before.unwrap_or(0);
        round_of.insert(layer.diff_id, round);
        match rounds.get_mut(round) {
            Some(others) => others.push(layer),
            None => rounds.push(vec![layer]),
        }
    }
    rounds
}

fn rebuild_layer(
    package: &Package,
    layer: &LayerEntry,
    (bases, targets): (&[&UncheckedLayer], &BTreeMap<DiffId, UncheckedLayer>),
    room: Room<'_>,
    task: &dyn Task,
) -> Result<VerifiedLayer> {
    let Origin::Coded { codec, .. } = &layer.origin else {
        return Err(Error::internal("a held layer is not rebuilt"));
    };
    let bases: Vec<Arc<dyn ReadAt>> = bases.iter().map(|base| base.bytes().clone()).collect();
    let members = members(package, layer)?;
    let coded = (members.as_slice(), &package.metadata().requires);
    let promised = Promised { diff_id: layer.diff_id, extent: layer.extent(), there: targets.get(&layer.diff_id) };
    let rebuilt = coding::decode(*codec, &bases, coded, promised, room, task)?;
    room.context.progress.detail(format_args!(
        "layer {}: {} bytes rebuilt of {} in the package ({}) and {} base layers",
        layer.diff_id.short(),
        layer.known_size(),
        members.iter().map(|member| member.bytes.len()).sum::<u64>(),
        codec.name(),
        bases.len()
    ));
    Ok(rebuilt)
}

/// The members that a coded layer is rebuilt from.
pub(crate) fn members(package: &Package, layer: &LayerEntry) -> Result<Vec<Member>> {
    let Origin::Coded { members, .. } = &layer.origin else { return Ok(Vec::new()) };
    members.iter().map(|name| Ok(Member { name: name.clone(), bytes: package.member(name)? })).collect()
}

fn verified_bases(
    needed: &BTreeSet<DiffId>,
    bases: &[Layer],
    room: Room<'_>,
) -> Result<BTreeMap<DiffId, VerifiedLayer>> {
    let layers = chosen(needed, bases)?;
    let task = room.context.progress.begin("Checking base layers", plain_bytes(&layers));
    let check = |layer: &&Layer| {
        let bytes = layer.content.plain()?;
        let what = format!("the base layer {}", layer.diff_id.short());
        let layer = VerifiedLayer::check_placed(layer.diff_id, bytes, (&what, task.as_ref()), room)?;
        room.context.progress.detail(format_args!("{what} is there, {} bytes with its digest", layer.bytes().len()));
        Ok((layer.diff_id(), layer))
    };
    layers.par_iter().map(check).collect()
}

fn unchecked_bases(
    needed: &BTreeSet<DiffId>,
    bases: &[Layer],
    context: Context<'_>,
) -> Result<BTreeMap<DiffId, UncheckedLayer>> {
    let open = |layer: &&Layer| {
        let (short, opened) = (layer.diff_id.short(), UncheckedLayer::of(layer)?);
        context.progress.detail(format_args!("the base layer {short} is there, {} bytes", opened.bytes().len()));
        Ok((layer.diff_id, opened))
    };
    chosen(needed, bases)?.par_iter().map(open).collect()
}

/// The first of the `bases` for each diff ID that is needed.
fn chosen<'a>(needed: &BTreeSet<DiffId>, bases: &'a [Layer]) -> Result<Vec<&'a Layer>> {
    let by_id: BTreeMap<DiffId, &Layer> = bases.iter().rev().map(|layer| (layer.diff_id, layer)).collect();
    let absent = |diff_id| Error::internal(format!("the base layer {diff_id} was not checked for"));
    needed.iter().map(|diff_id| by_id.get(diff_id).copied().ok_or_else(|| absent(diff_id))).collect()
}

/// The layers that must be rebuilt for the `wanted` blobs, with those that they are coded against.
fn coded_layers<'a>(metadata: &'a Metadata, index: &Index<'_>, wanted: &Wanted) -> Vec<&'a LayerEntry> {
    let mut open = made_into_blobs(index, wanted);
    // A layer is coded only against what stands before it, so one walk from the end finds all.
    let mut coded: Vec<&LayerEntry> = Vec::new();
    for layer in metadata.layers.iter().rev() {
        if matches!(layer.origin, Origin::Coded { .. }) && open.contains(&layer.diff_id) {
            open.extend(bases_of(layer));
            coded.push(layer);
        }
    }
    coded.reverse();
    coded
}

pub(crate) fn bases_of(layer: &LayerEntry) -> Vec<DiffId> {
    match &layer.origin {
        Origin::Held => Vec::new(),
        Origin::Coded { bases, .. } => bases.clone(),
    }
}

fn is_coded(index: &Index<'_>, diff_id: DiffId) -> bool {
    index.layer(diff_id).is_some_and(|layer| matches!(layer.origin, Origin::Coded { .. }))
}

#[cfg(test)]
mod tests;
