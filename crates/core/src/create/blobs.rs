//! Blobs that are not simply a layer: compressed, and named by a manifest that must stay valid.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_codec::recreation::{Nearest, Plan, SearchOutcome, find, is_likely};
use rayon::prelude::*;

use super::Coded;
use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::{BlobCompression, Image, Layer, VerifiedBlob, VerifiedLayer, layers_of};
use crate::job::choices::CompressionOptions;
use crate::job::context::Context;
use crate::layer::coding::compressed::compress;
use crate::limits;
use crate::package::Member;
use crate::package::metadata::{BlobEntry, NearestEncoder, PlanPlace, Recreated, Whole};

/// The compressed blobs of the targets, and how each travels.
pub(super) struct Blobs(BTreeMap<BlobDigest, Blob>);

struct Blob {
    layer: Layer,
    way: Way,
}

enum Way {
    /// A base has the very same.
    Held,
    /// Its layer is compressed again.
    Recreated(Plan),
    /// A known encoder makes the start of it; whether all is still to be found out.
    Likely(Arc<dyn ReadAt>),
    /// As it is.
    Whole(Arc<dyn ReadAt>, Reason),
}

/// Why a blob travels as it is.
enum Reason {
    /// It may have been made again.
    Chosen(Whole),
    /// No known encoder makes it; the one that comes nearest.
    UnknownEncoder(Option<Nearest>),
}

/// What the package says of the blobs, and brings for them.
pub(super) struct Carried {
    pub(super) entries: Vec<BlobEntry>,
    pub(super) members: Vec<Member>,
    /// What a reader must know.
    pub(super) features: BTreeSet<String>,
}

impl Blobs {
    /// Finds out for each blob of `targets` how it travels, but for long ones that are likely to be made again.
    pub(super) fn new(
        targets: &[Image],
        bases: &[Image],
        compression: CompressionOptions,
        context: Context<'_>,
    ) -> Result<Self> {
        let held: BTreeMap<BlobDigest, &Layer> = layers_of(bases).map(|layer| (layer.blob, layer)).collect();
        let is_compressed = |layer: &&Layer| layer.blob != layer.diff_id.into();
        let wanted: BTreeMap<BlobDigest, &Layer> =
            layers_of(targets).filter(is_compressed).map(|layer| (layer.blob, layer)).collect();
        let blob = |(digest, layer): (&BlobDigest, &&Layer)| {
            let way = match held.get(digest) {
                Some(base) => held_way(base)?,
                None => way(layer, compression, context)?,
            };
            Ok((*digest, Blob { layer: (*layer).clone(), way }))
        };
        Ok(Self(wanted.par_iter().map(blob).collect::<Result<_>>()?))
    }

    /// For each layer that is a blob which travels as it is, the blob's member and the layer's size in bytes.
    pub(super) fn layers(&self) -> Result<BTreeMap<DiffId, (String, u64)>> {
        let whole = self.0.values().filter(|blob| matches!(blob.way, Way::Whole(..)));
        let entry = |Blob { layer, .. }: &Blob| Ok((layer.diff_id, (member_name(layer), layer.content.plain()?.len())));
        // Of several blobs that are one layer the first counts.
        whole.rev().map(entry).collect()
    }

    /// Finds out the rest.
    pub(super) fn settled(mut self, context: Context<'_>) -> Result<Self> {
        let settle = |blob: &mut Blob| -> Result<()> {
            if let Way::Likely(bytes) = &blob.way {
                blob.way = searched(&blob.layer, bytes, context)?;
            }
            Ok(())
        };
        self.0.par_iter_mut().map(|(_, blob)| blob).try_for_each(settle)?;
        Ok(self)
    }

    /// Decides about blobs that could travel both ways, now that their layers are coded, and describes all.
    pub(super) fn carried(
        mut self,
        coded: &mut [Coded],
        compression: CompressionOptions,
        context: Context<'_>,
    ) -> Result<Carried> {
        for layer in coded.iter_mut().filter(|layer| !layer.members.is_empty()) {
            if !self.replaces(layer) {
                self.prefer_whole(layer)?;
            }
        }
        let mut carried = Carried { entries: Vec::new(), members: Vec::new(), features: BTreeSet::new() };
        for (digest, blob) in &self.0 {
            blob.tell(context);
            carried.take(*digest, blob, compression, context)?;
        }
        Ok(carried)
    }

    /// Lets a layer that was coded in vain be the blob that travels as it is after all.
    fn replaces(&self, coded: &mut Coded) -> bool {
        let is_whole = |blob: &&Blob| matches!(blob.way, Way::Whole(..)) && blob.layer.diff_id == coded.entry.diff_id;
        let Some(Blob { layer, .. }) = self.0.values().find(is_whole) else { return false };
        *coded = super::carried_layer(layer, &member_name(layer), coded.entry.known_size());
        true
    }

    /// Lets a blob travel as it is when that takes no more than its layer and the plan: nothing then has to be compressed again.
    fn prefer_whole(&mut self, coded: &mut Coded) -> Result<()> {
        let size: u64 = coded.members.iter().map(|member| member.bytes.len() + limits::MEMBER_OVERHEAD).sum();
        let is_smaller = |blob: &&mut Blob| {
            blob.layer.diff_id == coded.entry.diff_id
                && matches!(&blob.way, Way::Recreated(plan)
                    if blob.layer.blob_size + limits::MEMBER_OVERHEAD <= size + plan.as_bytes().len() as u64)
        };
        if let Some(blob) = self.0.values_mut().filter(is_smaller).min_by_key(|blob| blob.layer.blob_size) {
            blob.way = Way::Whole(blob.layer.content.stored()?, Reason::Chosen(Whole::Smallest));
            *coded = super::carried_layer(&blob.layer, &member_name(&blob.layer), coded.entry.known_size());
        }
        Ok(())
    }
}

impl Carried {
    fn take(
        &mut self,
        digest: BlobDigest,
        blob: &Blob,
        compression: CompressionOptions,
        context: Context<'_>,
    ) -> Result<()> {
        let Blob { layer, way } = blob;
        let mut entry = BlobEntry {
            digest,
            size: layer.blob_size,
            compression: layer.compression,
            member: None,
            recreated: None,
            nearest: None,
            whole: None,
        };
        match way {
            Way::Held => {}
            Way::Likely(_) => return Err(Error::internal("a blob of which it is not known how it travels")),
            Way::Recreated(plan) => {
                self.features.extend(plan.features().into_iter().map(str::to_owned));
                let place = self.place(digest, plan, compression, context)?;
                entry.recreated = Some(Recreated { encoder: encoders(plan), place });
            }
            Way::Whole(bytes, reason) => {
                let member = Member { name: member_name(layer), bytes: bytes.clone() };
                entry.member = Some(member.name.clone());
                match reason {
                    Reason::Chosen(why) => entry.whole = Some(*why),
                    Reason::UnknownEncoder(nearest) => entry.nearest = nearest.clone().map(NearestEncoder::from),
                }
                self.members.push(member);
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    fn place(
        &mut self,
        digest: BlobDigest,
        plan: &Plan,
        compression: CompressionOptions,
        context: Context<'_>,
    ) -> Result<PlanPlace> {
        if plan.as_bytes().len() <= limits::INLINE_PLAN_BYTES {
            return Ok(PlanPlace::Here(plan.clone()));
        }
        let bytes = Arc::new(plan.as_bytes().to_vec());
        let member = compress(format!("blob_plans/{}.plan", digest.hex()), bytes, compression, context)?;
        let name = member.name.clone();
        self.members.push(member);
        Ok(PlanPlace::Member(name))
    }
}

impl Blob {
    /// What a user wants to know: why something is not small, or what small costs.
    fn tell(&self, context: Context<'_>) {
        let Self { layer, way } = self;
        let whole =
            format!("layer {} travels compressed as it is, in {} bytes", layer.diff_id.short(), layer.blob_size);
        let progress = context.progress;
        match way {
            Way::Held | Way::Likely(_) => {}
            Way::Recreated(plan) => {
                let (layer, encoder) = (layer.diff_id.short(), encoders(plan));
                progress.detail(format_args!("layer {layer} is compressed again by {encoder} when it is applied"));
            }
            Way::Whole(_, Reason::Chosen(Whole::Smallest)) => {
                progress.detail(format_args!("{whole}, which is smallest"))
            }
            Way::Whole(_, Reason::Chosen(Whole::Asked)) => {
                progress.inform(format_args!("{whole}: nothing is to be compressed again"))
            }
            Way::Whole(_, Reason::UnknownEncoder(nearest)) => {
                let nearest = nearest.as_ref().map_or_else(String::new, |Nearest { encoder, differs_at }| {
                    format!(" ({encoder} comes nearest, and differs at byte {differs_at})")
                });
                progress.inform(format_args!(
                    "{whole}, to keep its manifest's digest, because an unknown encoder made it{nearest}; with \
                     --identity config it would travel as a delta"
                ));
            }
        }
    }
}

/// How a blob travels that a base has; the receiver's base is as whole as this one. What is far is not fetched to be left out.
fn held_way(base: &Layer) -> Result<Way> {
    if base.content.is_far() {
        return Ok(Way::Held);
    }
    let what = format!("the base's blob {} of layer {}", base.blob.short(), base.diff_id.short());
    VerifiedBlob::check(base.blob, base.content.stored()?, &what).map(|_| Way::Held)
}

/// How a blob that no base has travels.
fn way(layer: &Layer, compression: CompressionOptions, context: Context<'_>) -> Result<Way> {
    let what = format!("the blob {} of layer {}", layer.blob.short(), layer.diff_id.short());
    let bytes = VerifiedBlob::check(layer.blob, layer.content.stored()?, &what)?.bytes().clone();
    let plain = layer.content.plain()?;
    VerifiedLayer::check(layer.diff_id, plain.clone(), &format!("{what}, decompressed"))?;
    if !compression.recompress {
        return Ok(Way::Whole(bytes, Reason::Chosen(Whole::Asked)));
    }
    let is_long = plain.len() > limits::SURE_LAYER_BYTES;
    if is_long && is_likely(&bytes, &plain).map_err(Error::io(format!("looking for the encoder of {what}")))? {
        return Ok(Way::Likely(bytes));
    }
    searched(layer, &bytes, context)
}

/// How a blob travels if the encoder that made it can be found.
fn searched(layer: &Layer, bytes: &Arc<dyn ReadAt>, context: Context<'_>) -> Result<Way> {
    let doing =
        format!("looking for the encoder of the blob {} of layer {}", layer.blob.short(), layer.diff_id.short());
    let plain = layer.content.plain()?;
    let task = context.progress.begin(&format!("Finding the encoder of layer {}", layer.diff_id.short()), None);
    let found = find(bytes, &plain).map_err(Error::io(doing))?;
    task.advance(plain.len());
    Ok(match found {
        SearchOutcome::Exact(plan) => Way::Recreated(plan),
        SearchOutcome::Unknown(nearest) => Way::Whole(bytes.clone(), Reason::UnknownEncoder(nearest)),
    })
}

impl From<Nearest> for NearestEncoder {
    fn from(Nearest { encoder, differs_at }: Nearest) -> Self {
        Self { encoder, differs_at }
    }
}

/// The encoders of a plan, for people.
fn encoders(plan: &Plan) -> String {
    plan.encoder_names().into_iter().collect::<Vec<_>>().join(", ")
}

fn member_name(layer: &Layer) -> String {
    let suffix = match layer.compression {
        BlobCompression::None => ".tar",
        BlobCompression::Gzip => ".tar.gz",
        BlobCompression::Zstd => ".tar.zst",
    };
    format!("layer_blobs/{}{suffix}", layer.blob.hex())
}

#[cfg(test)]
mod tests {
    use delta_codec::MemoryScratch;
    use delta_codec::compress::Compression;

    use super::*;
    use crate::job::progress::Silent;

    /// A plan of `length` bytes that keeps all of a blob (FORMAT.md, section 13).
    fn plan(length: usize) -> Plan {
        let kept = length - 4;
        let digits = [0x80 | u8::try_from(kept / 128).unwrap(), u8::try_from(kept % 128).unwrap()];
        let bytes = [&[0], &digits[..], &[0], &vec![7; kept]].concat();
        Plan::parse(bytes).unwrap()
    }

    #[test]
    fn inline_plan_bytes_stand_in_the_metadata_and_one_more_in_a_member() {
        let context = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };
        for (more, count) in [(0, 0), (1, 1)] {
            let plan = plan(limits::INLINE_PLAN_BYTES + more);
            assert_eq!(plan.as_bytes().len(), limits::INLINE_PLAN_BYTES + more);
            let mut carried = Carried { entries: Vec::new(), members: Vec::new(), features: BTreeSet::new() };
            let none = CompressionOptions::usual(Compression::None);
            let place = carried.place(BlobDigest::of(b"blob"), &plan, none, context).unwrap();
            assert_eq!((carried.members.len(), matches!(place, PlanPlace::Here(_))), (count, count == 0));
        }
    }
}
