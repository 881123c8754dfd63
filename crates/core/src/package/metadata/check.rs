//! What `metadata.json` says must hold together, before any of it is used.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BlobEntry, ImageEntry, LayerEntry, MemberEntry, Metadata, Origin, PlanPlace, Recreated, StreamEntry, StreamKind,
    document_member,
};
use crate::digest::{BlobDigest, DiffId};
use crate::error::{Error, Result};
use crate::limits;
use crate::package::features::{ImageFeature, LayerCodec, RecipeFeature, RecipeStream, UNMEASURED};

/// Compares every part with the others.
pub(super) fn check(metadata: &Metadata) -> Result<()> {
    check_texts(metadata)?;
    let listed = Listed::new(metadata)?;
    listed.layers(metadata)?;
    listed.blobs(metadata)?;
    metadata.images.iter().try_for_each(|image| listed.image(image))?;
    listed.layout_index(metadata)?;
    match &metadata.stream {
        None if metadata.images.is_empty() => fault("it brings neither images nor a stream"),
        Some(_) if !metadata.images.is_empty() => fault("it brings images and a stream"),
        Some(stream) => check_stream(metadata, stream),
        None => Ok(()),
    }
}

/// The lists of the document, by what their entries are named.
struct Listed<'a> {
    members: BTreeMap<&'a str, &'a MemberEntry>,
    /// The size of each, where it is known.
    layers: BTreeMap<DiffId, Option<u64>>,
    blobs: BTreeSet<BlobDigest>,
    held: BTreeSet<DiffId>,
    held_blobs: BTreeSet<BlobDigest>,
    /// For each blob whose plan stands here, the bytes of the layer that it is made of.
    made_of: BTreeMap<BlobDigest, u64>,
    /// Whether one member has all documents.
    packed: bool,
}

impl<'a> Listed<'a> {
    fn new(metadata: &'a Metadata) -> Result<Self> {
        let members: BTreeMap<_, _> = metadata.members.iter().map(|member| (member.name.as_str(), member)).collect();
        let listed = Self {
            members,
            layers: metadata.layers.iter().map(|layer| (layer.diff_id, layer.size)).collect(),
            blobs: metadata.blobs.iter().map(|blob| blob.digest).collect(),
            held: metadata.base_layers(),
            held_blobs: metadata.bases.iter().flat_map(|base| &base.layers).map(|layer| layer.blob).collect(),
            made_of: metadata.blobs.iter().filter_map(made_of).collect(),
            packed: metadata.has_packed_documents(),
        };
        let roots: BTreeSet<BlobDigest> = metadata.images.iter().map(|image| image.root.digest).collect();
        let base_layers = metadata.bases.iter().map(|base| base.layers.len()).sum();
        let lists = [
            ("member", metadata.members.len(), listed.members.len(), limits::MEMBERS),
            ("layer", metadata.layers.len(), listed.layers.len(), limits::LAYERS),
            ("blob", metadata.blobs.len(), listed.blobs.len(), limits::LAYERS),
            ("image", metadata.images.len(), roots.len(), limits::IMAGES),
            ("base layer", base_layers, base_layers, limits::BASE_LAYERS),
        ];
        for (what, count, distinct, most) in lists {
            if count != distinct {
                return fault(format!("a {what} is listed twice"));
            }
            if count > most {
                return fault(format!("it lists {count} {what}s, at most {most} are read"));
            }
        }
        Ok(listed)
    }

    /// A layer may be coded against layers of the bases and those listed before it.
    fn layers(&self, metadata: &Metadata) -> Result<()> {
        let mut before = self.held.clone();
        for layer in &metadata.layers {
            Self::size(metadata, layer)?;
            self.layer(metadata, layer, &before)?;
            before.insert(layer.diff_id);
        }
        Ok(())
    }

    fn size(metadata: &Metadata, layer: &LayerEntry) -> Result<()> {
        let (name, most) = (layer.diff_id, limits::LAYER_BYTES);
        match layer.size {
            Some(size) if size > most => fault(format!("the layer {name} has {size} bytes, at most {most} are read")),
            Some(_) => Ok(()),
            None if layer.origin != Origin::Held => fault(format!("the layer {name} is coded, but has no size")),
            None if metadata.requires.contains(UNMEASURED) => Ok(()),
            None => fault(format!("it does not require `{UNMEASURED}`, but the layer {name} has no size")),
        }
    }

    fn layer(&self, metadata: &Metadata, layer: &LayerEntry, before: &BTreeSet<DiffId>) -> Result<()> {
        let name = layer.diff_id;
        let Origin::Coded { codec, bases, members, recompressed } = &layer.origin else {
            return if self.held.contains(&name) { Ok(()) } else { fault(format!("no base has the layer {name}")) };
        };
        if bases.iter().collect::<BTreeSet<_>>().len() < bases.len() {
            return fault(format!("the layer {name} is coded against another one twice"));
        }
        if let Some(base) = bases.iter().find(|base| !before.contains(base)) {
            return fault(format!("the layer {name} needs {base}, which is neither of a base nor listed before it"));
        }
        if let Some(member) = members.iter().find(|member| !self.members.contains_key(member.as_str())) {
            return fault(format!("there is no member {member}"));
        }
        let most = codec.most_members();
        if !(1..=most).contains(&members.len()) {
            return fault(format!("the layer {name} has {} members, its codec has 1 to {most}", members.len()));
        }
        let is_stream = |member: &String| RecipeStream::of_member(member, name).is_some();
        if let Some(odd) = members.iter().find(|member| *codec == LayerCodec::Recipe && !is_stream(member)) {
            return fault(format!("{odd} is no stream of the recipe of the layer {name}"));
        }
        if *codec == LayerCodec::Whole && !bases.is_empty() {
            return fault(format!("the layer {name} is whole and coded against another"));
        }
        if *recompressed > limits::LAYER_BYTES {
            let most = limits::LAYER_BYTES;
            return fault(format!("in the layer {name} {recompressed} bytes are opened, at most {most} are read"));
        }
        let opened = RecipeFeature::Opened.name();
        if *recompressed > 0 && !(*codec == LayerCodec::Recipe && metadata.requires.contains(opened)) {
            return fault(format!("it does not require `{opened}`, but the layer {name} is opened"));
        }
        if !metadata.requires.contains(codec.name()) {
            return fault(format!("it does not require `{}`, by which the layer {name} is coded", codec.name()));
        }
        Ok(())
    }

    fn blobs(&self, metadata: &Metadata) -> Result<()> {
        metadata.blobs.iter().try_for_each(|blob| self.blob(metadata, blob))
    }

    fn blob(&self, metadata: &Metadata, blob: &BlobEntry) -> Result<()> {
        if blob.size > limits::LAYER_BYTES {
            let (name, most) = (blob.digest, limits::LAYER_BYTES);
            return fault(format!("the blob {name} has {} bytes, at most {most} are read", blob.size));
        }
        if blob.nearest.is_some() && blob.member.is_none() {
            return fault(format!("the blob {} is no member, but an encoder came near to it", blob.digest));
        }
        let way = match (&blob.member, &blob.recreated) {
            (Some(_), Some(_)) => fault(format!("the blob {} is a member and made again", blob.digest)),
            (None, Some(recreated)) => self.recreated(metadata, blob, recreated),
            (None, None) if self.held_blobs.contains(&blob.digest) => Ok(()),
            (None, None) => fault(format!("no base has the blob {}", blob.digest)),
            (Some(name), None) => match self.members.get(name.as_str()) {
                Some(member) if (member.digest, member.size) == (blob.digest, blob.size) => Ok(()),
                Some(_) => fault(format!("the member {name} is not the blob {}", blob.digest)),
                None => fault(format!("there is no member {name}")),
            },
        };
        way?;
        if blob.whole.is_some() && (blob.member.is_none() || blob.nearest.is_some()) {
            return fault(format!("the blob {} is said to be whole for a reason that it cannot have", blob.digest));
        }
        Ok(())
    }

    fn recreated(&self, metadata: &Metadata, blob: &BlobEntry, recreated: &Recreated) -> Result<()> {
        match &recreated.place {
            PlanPlace::Here(plan) => match plan.features().into_iter().find(|one| !metadata.requires.contains(*one)) {
                Some(feature) => {
                    fault(format!("it does not require `{feature}`, by which the blob {} is made", blob.digest))
                }
                None => Ok(()),
            },
            PlanPlace::Member(name) if self.members.contains_key(name.as_str()) => Ok(()),
            PlanPlace::Member(name) => fault(format!("there is no member {name}")),
        }
    }

    fn image(&self, image: &ImageEntry) -> Result<()> {
        image.documents.iter().try_for_each(|digest| self.document(*digest))?;
        let documents: BTreeSet<&BlobDigest> = image.documents.iter().collect();
        let configs = image.manifests.iter().map(|manifest| manifest.config.into());
        let named = [image.root.digest].into_iter().chain(image.manifests.iter().map(|manifest| manifest.digest));
        if let Some(digest) = named.chain(configs).find(|digest| !documents.contains(digest)) {
            return fault(format!("the document {digest} is not listed"));
        }
        for manifest in &image.manifests {
            if manifest.layers.len() > limits::LAYERS_PER_IMAGE {
                let (count, most) = (manifest.layers.len(), limits::LAYERS_PER_IMAGE);
                return fault(format!("an image has {count} layers, at most {most} are read"));
            }
            for layer in &manifest.layers {
                let is_known = layer.blob == layer.diff_id.into() || self.blobs.contains(&layer.blob);
                let Some(plain) = self.layers.get(&layer.diff_id).filter(|_| is_known) else {
                    return fault(format!("the layer {} is not listed", layer.diff_id));
                };
                if self.made_of.get(&layer.blob).is_some_and(|size| Some(*size) != *plain) {
                    return fault(format!("the blob {} is made of other bytes than its layer", layer.blob));
                }
            }
        }
        Ok(())
    }

    fn layout_index(&self, metadata: &Metadata) -> Result<()> {
        let Some(index) = metadata.layout_index else { return Ok(()) };
        let feature = ImageFeature::LayoutIndex.name();
        if !metadata.requires.contains(feature) {
            return fault(format!("it does not require `{feature}`, but has an index of a layout"));
        }
        if metadata.images.is_empty() {
            return fault("it has an index of a layout, but no images");
        }
        self.document(index)
    }

    fn document(&self, digest: BlobDigest) -> Result<()> {
        if self.packed {
            // Each was found in the member that has all of them, and compared with its digest.
            return Ok(());
        }
        let member = self.members.get(document_member(digest).as_str());
        if member.is_none_or(|member| member.digest != digest || member.size > limits::DOCUMENT_BYTES) {
            return fault(format!("there is no member that is the document {digest}"));
        }
        Ok(())
    }
}

fn made_of(blob: &BlobEntry) -> Option<(BlobDigest, u64)> {
    match &blob.recreated.as_ref()?.place {
        PlanPlace::Here(plan) => Some((blob.digest, plan.plain_bytes())),
        PlanPlace::Member(_) => None,
    }
}

fn check_stream(metadata: &Metadata, stream: &StreamEntry) -> Result<()> {
    match metadata.layers.as_slice() {
        [layer] if layer.diff_id == stream.target => {}
        _ => return fault("the layers are other than the stream"),
    }
    match &stream.file {
        Some(_) if stream.kind == StreamKind::Tree => fault("it says of a tree what only a file has"),
        Some(facts) => facts.check(),
        None => Ok(()),
    }
}

/// Texts are shown on terminals, which obey control characters.
fn check_texts(metadata: &Metadata) -> Result<()> {
    let manifests = || metadata.images.iter().flat_map(|image| &image.manifests);
    let platforms = manifests().filter_map(|manifest| manifest.platform.as_ref());
    let platforms = platforms.flat_map(|one| [Some(&one.os), Some(&one.architecture), one.variant.as_ref()]).flatten();
    let texts = [&metadata.created_by, &metadata.compression]
        .into_iter()
        .chain(metadata.images.iter().map(|image| &image.root.media_type))
        .chain(metadata.members.iter().map(|member| &member.name))
        .chain(metadata.blobs.iter().filter_map(|blob| blob.recreated.as_ref()).map(|recreated| &recreated.encoder))
        .chain(metadata.blobs.iter().filter_map(|blob| blob.nearest.as_ref()).map(|nearest| &nearest.encoder))
        .chain(platforms);
    match texts.into_iter().find(|text| text.chars().any(char::is_control)) {
        Some(text) => fault(format!("`{}` has a control character", text.escape_debug())),
        None => Ok(()),
    }
}

fn fault<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::content(format!("metadata.json contradicts itself: {what}")))
}

#[cfg(test)]
mod tests;
