//! Checks a package wholly, by the code that applies it, as far as the bases that are there go.

use std::collections::{BTreeMap, BTreeSet};

use delta_codec::Reader;
use rayon::prelude::*;
use serde::Serialize;

use crate::apply::{self, AtHand, Wanted, bases_of, recreated};
use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Kind, Result};
use crate::image::{UncheckedLayer, VerifiedLayer};
use crate::job::context::Context;
use crate::layer::coding;
use crate::package::Package;
use crate::package::metadata::{Index, LayerEntry, MemberEntry, Metadata, Origin};

/// What was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Members whose digest was compared.
    pub members: usize,
    /// Documents that were compared with the metadata.
    pub documents: usize,
    /// Layers that were rebuilt.
    pub rebuilt_layers: usize,
    /// Layers whose members were read to the end, but which only their base can prove.
    pub readable_layers: usize,
    /// Every layer, in the order of the package.
    pub layers: Vec<LayerProof>,
}

/// How far one layer is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LayerProof {
    /// The digest of the layer.
    pub diff_id: DiffId,
    /// How far.
    pub proof: Proof,
}

/// How far a layer is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A base has it; nothing of it is in the package.
    Held,
    /// It was rebuilt, and has its digest.
    Rebuilt,
    /// A base is missing: its members were read to the end, within the bounds that rebuilding has.
    ReadThrough,
}

/// Compares the digest of every member, rebuilds each layer whose `bases` are there, and reads through the others. That the
/// package is complete, and its documents say what its metadata says, was found out when it was opened.
///
/// # Errors
/// Content errors that name the first part that is wrong.
pub fn verify(package: &Package, bases: &[VerifiedLayer], context: Context<'_>) -> Result<VerifyReport> {
    let below: Vec<UncheckedLayer> = bases.iter().map(UncheckedLayer::from).collect();
    let report = check(package, (&below, &[]), context)?;
    let metadata = package.metadata();
    let mut there = rebuildable(metadata, &below);
    there.extend(bases.iter().map(VerifiedLayer::diff_id));
    apply::rebuild_on(package, &recreated_blobs(metadata, &there), AtHand::of(verified(bases)), context)?;
    Ok(report)
}

/// The bytes of temporary files that [`verify`] takes without bases: layers and blobs that it makes.
pub fn room(metadata: &Metadata) -> u64 {
    let made = rebuildable(metadata, &[]);
    let layers = metadata.layers.iter().filter(|layer| made.contains(&layer.diff_id)).map(LayerEntry::known_size);
    let index = Index::of(metadata);
    let blobs = recreated_blobs(metadata, &made);
    layers.chain(blobs.keys().filter_map(|digest| index.blob(*digest)).map(|blob| blob.size)).sum()
}

/// All of [`verify`] but the blobs that are made again, of which only the plans are read. What is rebuilt is not
/// kept where it is among the `targets` that are there.
fn check(
    package: &Package,
    (bases, targets): (&[UncheckedLayer], &[UncheckedLayer]),
    context: Context<'_>,
) -> Result<VerifyReport> {
    let metadata = package.metadata();
    metadata.members.par_iter().map(|member| verify_member(package, member)).collect::<Result<()>>()?;
    let mut recreated = metadata.blobs.iter().filter(|blob| blob.recreated.is_some());
    recreated.try_for_each(|blob| recreated::plan(package, blob).map(drop))?;
    let rebuildable = rebuildable(metadata, bases);
    let wanted = layers(metadata, &rebuildable).chain(blobs(metadata)).collect();
    apply::rebuild_on(package, &wanted, at_hand(bases, targets), context)?;
    let proof = |layer: &LayerEntry| match layer.origin {
        Origin::Held => Proof::Held,
        Origin::Coded { .. } if rebuildable.contains(&layer.diff_id) => Proof::Rebuilt,
        Origin::Coded { .. } => Proof::ReadThrough,
    };
    let layers: Vec<LayerProof> =
        metadata.layers.iter().map(|layer| LayerProof { diff_id: layer.diff_id, proof: proof(layer) }).collect();
    let unproved = metadata.layers.iter().filter(|layer| proof(layer) == Proof::ReadThrough);
    unproved.clone().try_for_each(|layer| read_through(package, layer, context))?;
    let count = |proof| layers.iter().filter(|layer| layer.proof == proof).count();
    Ok(VerifyReport {
        members: metadata.members.len(),
        documents: metadata.images.iter().map(|image| image.documents.len()).sum(),
        rebuilt_layers: count(Proof::Rebuilt),
        readable_layers: count(Proof::ReadThrough),
        layers,
    })
}

/// A package that does not give back what went into it.
pub(crate) struct Unproved {
    /// The layer that does not come back, where it is one.
    pub(crate) layer: Option<DiffId>,
    /// What its receiver would see.
    pub(crate) error: Error,
}

/// Proves a package wholly: all that its layers are coded against must be among the `bases`, and those that it brings may be
/// among the `targets`. Blobs that are made again were made by the very encoders, and compared, when these were found.
pub(crate) fn prove(
    package: &Package,
    (bases, targets): (&[UncheckedLayer], &[UncheckedLayer]),
    context: Context<'_>,
) -> std::result::Result<(), Unproved> {
    match check(package, (bases, targets), context) {
        Ok(report) if report.readable_layers == 0 => Ok(()),
        Ok(_) => Err(Unproved { layer: None, error: Error::internal("it needs a layer that no base has") }),
        Err(error) => {
            let layer =
                if error.kind() == Kind::Environment { None } else { culprit(package, (bases, targets), context) };
            Err(Unproved { layer, error })
        }
    }
}

/// The first layer that cannot be rebuilt; later ones may only follow from it.
fn culprit(
    package: &Package,
    (bases, targets): (&[UncheckedLayer], &[UncheckedLayer]),
    context: Context<'_>,
) -> Option<DiffId> {
    let metadata = package.metadata();
    let fails = |layer: &&LayerEntry| {
        let wanted = Wanted::from([(layer.diff_id.into(), layer.diff_id)]);
        apply::rebuild_on(package, &wanted, at_hand(bases, targets), context).is_err()
    };
    let mut coded = metadata.layers.iter().filter(|layer| matches!(layer.origin, Origin::Coded { .. }));
    coded.find(fails).map(|layer| layer.diff_id)
}

fn at_hand<'a>(bases: &[UncheckedLayer], targets: &[UncheckedLayer]) -> AtHand<'a> {
    let by_id = |layers: &[UncheckedLayer]| layers.iter().map(|layer| (layer.diff_id(), layer.clone())).collect();
    AtHand { unchecked: by_id(bases), targets: by_id(targets), ..AtHand::of(BTreeMap::new()) }
}

fn verified(layers: &[VerifiedLayer]) -> BTreeMap<DiffId, VerifiedLayer> {
    layers.iter().map(|layer| (layer.diff_id(), layer.clone())).collect()
}

/// The coded layers that can be rebuilt from `bases`; what a layer is coded against stands before it.
fn rebuildable(metadata: &Metadata, bases: &[UncheckedLayer]) -> BTreeSet<DiffId> {
    let mut there: BTreeSet<DiffId> = bases.iter().map(UncheckedLayer::diff_id).collect();
    let mut rebuildable = BTreeSet::new();
    for layer in metadata.layers.iter().filter(|layer| matches!(layer.origin, Origin::Coded { .. })) {
        if bases_of(layer).iter().all(|base| there.contains(base)) {
            there.insert(layer.diff_id);
            rebuildable.insert(layer.diff_id);
        }
    }
    rebuildable
}

fn layers<'a>(metadata: &'a Metadata, chosen: &'a BTreeSet<DiffId>) -> impl Iterator<Item = (BlobDigest, DiffId)> + 'a {
    let layers = metadata.layers.iter().map(|layer| layer.diff_id);
    layers.filter(|diff_id| chosen.contains(diff_id)).map(|diff_id| (diff_id.into(), diff_id))
}

/// The blobs that are made again of layers that are `there`.
fn recreated_blobs(metadata: &Metadata, there: &BTreeSet<DiffId>) -> Wanted {
    let named = metadata.images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers);
    let index = Index::of(metadata);
    let is_recreated = |digest| index.blob(digest).is_some_and(|blob| blob.recreated.is_some());
    let named = named.filter(|layer| there.contains(&layer.diff_id) && is_recreated(layer.blob));
    named.map(|layer| (layer.blob, layer.diff_id)).collect()
}

/// The compressed blobs that are members, each with its layer.
fn blobs(metadata: &Metadata) -> impl Iterator<Item = (BlobDigest, DiffId)> + '_ {
    let named = metadata.images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers);
    let index = Index::of(metadata);
    let is_member = move |digest| index.blob(digest).is_some_and(|blob| blob.member.is_some());
    named.map(|layer| (layer.blob, layer.diff_id)).filter(move |(blob, _)| is_member(*blob))
}

fn read_through(package: &Package, layer: &LayerEntry, context: Context<'_>) -> Result<()> {
    let Origin::Coded { codec, .. } = layer.origin else { return Ok(()) };
    coding::read_through(codec, &apply::members(package, layer)?, (layer.diff_id, layer.extent()), context)
}

fn verify_member(package: &Package, entry: &MemberEntry) -> Result<()> {
    let bytes = package.member(&entry.name)?;
    let (found, _) = BlobDigest::of_reader(&mut Reader::new(bytes))
        .map_err(Error::io(format!("reading the member {}", entry.name)))?;
    if found == entry.digest {
        Ok(())
    } else {
        let (expected, found) = (entry.digest.to_string(), found.to_string());
        Err(Error::Mismatch { what: format!("the member {}", entry.name), expected, found })
    }
}
