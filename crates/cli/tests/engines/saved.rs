//! What an image is, whoever wrote it.

use std::path::Path;
use std::sync::Arc;

use delta_core::digest::{BlobDigest, DiffId};
use delta_core::image::{Image, ManifestKind, VerifiedBlob, VerifiedLayer};
use delta_core::job::progress::Silent;
use delta_transport::source::open_path;
use delta_transport::spool::TempScratch;

use crate::lab::Lab;

/// What must come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) config: BlobDigest,
    pub(crate) diff_ids: Vec<DiffId>,
    /// The manifest's or index's digest and those of all blobs.
    pub(crate) root: BlobDigest,
    pub(crate) blobs: Vec<BlobDigest>,
}

impl Identity {
    /// The image of an archive, with every byte of it checked.
    pub(crate) fn of(archive: &Path) -> Self {
        let scratch = Arc::new(TempScratch::new(None).unwrap());
        let images = open_path(archive, None, &scratch, &Silent)
            .unwrap_or_else(|error| panic!("{}: {error}", archive.display()));
        let [image] = images.as_slice() else { panic!("{} holds {} images", archive.display(), images.len()) };
        Self::of_image(image)
    }

    pub(crate) fn of_image(image: &Image) -> Self {
        let layers = || image.manifests.iter().flat_map(|manifest| &manifest.layers);
        for layer in layers() {
            VerifiedLayer::check(layer.diff_id, layer.content.plain().unwrap(), "layer").unwrap();
            VerifiedBlob::check(layer.blob, layer.content.stored().unwrap(), "blob").unwrap();
        }
        let manifest = image.manifests.iter().find(|manifest| manifest.kind == ManifestKind::Image).unwrap();
        Self {
            config: manifest.config.into(),
            diff_ids: manifest.layers.iter().map(|layer| layer.diff_id).collect(),
            root: image.root.digest,
            blobs: layers().map(|layer| layer.blob).collect(),
        }
    }

    /// The ID that this engine gives to it.
    pub(crate) fn id(&self, lab: &Lab) -> BlobDigest {
        if lab.keeps_blobs() { self.root } else { self.config }
    }

    /// Compares with what the engine has under this name, and with what it saves of it.
    pub(crate) fn check_in(&self, lab: &Lab, name: &str) {
        let engine = lab.plan.name;
        let inspected: serde_json::Value = serde_json::from_str(&lab.must(&["image", "inspect", name])).unwrap();
        let id = inspected[0]["Id"].as_str().unwrap();
        assert_eq!(id.trim_start_matches("sha256:"), self.id(lab).hex(), "{engine}: the ID of {name}");
        let layers: Vec<DiffId> = serde_json::from_value(inspected[0]["RootFS"]["Layers"].clone()).unwrap();
        assert_eq!(layers, self.diff_ids, "{engine}: the layers of {name}");
        let archive = lab.file("saved.tar");
        lab.save(name, &archive);
        let saved = Self::of(archive.as_ref());
        assert_eq!((saved.config, &saved.diff_ids), (self.config, &self.diff_ids), "{engine}: what is saved of {name}");
        if lab.keeps_blobs() {
            assert_eq!(&saved, self, "{engine}: what is saved of {name}");
        }
    }
}
