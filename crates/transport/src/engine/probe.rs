//! Small archives that name layers which the engine has, without bringing them: loaded and saved again, they give just
//! these layers, through the plain client and without root.

use std::collections::BTreeSet;

use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::Document;
use delta_core::image::documents::{OCI_INDEX, OCI_MANIFEST, config_digest};
use serde_json::json;

use super::Store;
use crate::oci_layout::blob_name;

/// The layers to name.
pub(super) struct Probe(Vec<Named>);

/// A layer that a probe names.
pub(super) struct Named {
    pub(super) diff_id: DiffId,
    pub(super) blob: BlobDigest,
    /// The blob's size, which a containerd store believes when it saves; other stores do not look at it.
    pub(super) size: u64,
}

impl Probe {
    /// The chain up to the highest wanted layer; `None` when that is the whole image anyway.
    pub(super) fn chain(diff_ids: &[DiffId], wanted: &BTreeSet<DiffId>) -> Option<Self> {
        let highest = diff_ids.iter().rposition(|diff_id| wanted.contains(diff_id))?;
        (highest + 1 < diff_ids.len()).then(|| Self::layers(diff_ids[..=highest].iter().copied()))
    }

    /// Layers by their diff IDs.
    pub(super) fn layers(diff_ids: impl Iterator<Item = DiffId>) -> Self {
        Self(diff_ids.map(|diff_id| Named { diff_id, blob: diff_id.into(), size: 0 }).collect())
    }

    /// Blobs of a containerd store.
    pub(super) const fn blobs(blobs: Vec<Named>) -> Self {
        Self(blobs)
    }

    /// The archive. For a containerd store the image is for a platform that does not exist, so that it is not unpacked.
    pub(super) fn archive(&self, store: Store) -> Result<Vec<u8>> {
        let architecture = if store == Store::Containerd { "probe" } else { "amd64" };
        let diff_ids: Vec<String> = self.0.iter().map(|layer| layer.diff_id.to_string()).collect();
        let config = Document::new(text(&json!({
            "architecture": architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })));
        let layers = self.0.iter().map(|layer| {
            let media_type = "application/vnd.oci.image.layer.v1.tar";
            json!({"mediaType": media_type, "digest": layer.blob.to_string(), "size": layer.size})
        });
        let manifest = Document::new(text(&json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config_digest(&config).to_string(), "size": config.bytes().len(),
            },
            "layers": layers.collect::<Vec<_>>(),
        })));
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [{
            "mediaType": OCI_MANIFEST, "digest": manifest.digest().to_string(), "size": manifest.bytes().len(),
        }]});
        let paths: Vec<String> = self.0.iter().map(|layer| blob_name(layer.blob)).collect();
        let docker = json!([{"Config": blob_name(config.digest()), "RepoTags": null, "Layers": paths}]);
        tar_of(&[
            ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
            ("index.json", &text(&index)),
            ("manifest.json", &text(&docker)),
            (&blob_name(config.digest()), config.bytes()),
            (&blob_name(manifest.digest()), manifest.bytes()),
        ])
    }
}

fn text(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn tar_of(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, *bytes).map_err(Error::io("making a probe"))?;
    }
    builder.into_inner().map_err(Error::io("making a probe"))
}

#[cfg(test)]
mod tests;
