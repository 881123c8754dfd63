//! Images made in memory, and what the tests do with packages of them.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and fails where that fails")]

pub(crate) mod golden;
mod gzip;
#[path = "../layers/mod.rs"]
pub(crate) mod layer_builder;
pub(crate) mod recipe_parts;
pub(crate) mod sealed;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, decoder};
use delta_codec::{MemoryScratch, ReadAt, Reader};
use delta_core::apply::{self, Delivery, Wanted};
use delta_core::create::{CreateOptions, create};
use delta_core::digest::{BlobDigest, ConfigDigest, DiffId};
use delta_core::image::documents::{OCI_MANIFEST, synthesise_manifest};
use delta_core::image::{
    BlobCompression, Document, Image, Layer, LayerContent, Manifest, ManifestKind, RebuiltImage, Root,
};
use delta_core::job::choices::CompressionOptions;
use delta_core::job::choices::{Identity, Method};
use delta_core::job::context::Context;
use delta_core::job::progress::Silent;
use delta_core::package::Package;
use delta_core::{Error, Result};
pub(crate) use gzip::{gzip, gzipped};
pub(crate) use layer_builder::noise;
pub(crate) use sealed::sealed;

pub(crate) const CONTEXT: Context<'static> = Context { scratch: &MemoryScratch, progress: &Silent, cache: None };

/// A layer of a test image.
#[derive(Clone)]
struct InMemory {
    plain: Arc<Vec<u8>>,
    stored: Arc<Vec<u8>>,
}

impl LayerContent for InMemory {
    fn plain(&self) -> Result<Arc<dyn ReadAt>> {
        Ok(self.plain.clone())
    }

    fn stored(&self) -> Result<Arc<dyn ReadAt>> {
        Ok(self.stored.clone())
    }
}

/// The bytes of a layer as a registry has them.
pub(crate) struct Far(pub(crate) Arc<dyn LayerContent>);

impl LayerContent for Far {
    fn plain(&self) -> Result<Arc<dyn ReadAt>> {
        self.0.plain()
    }

    fn stored(&self) -> Result<Arc<dyn ReadAt>> {
        self.0.stored()
    }

    fn is_far(&self) -> bool {
        true
    }
}

pub(crate) fn compressed(bytes: &[u8], compression: Compression) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), compression, compression.default_level(), None).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A layer that is stored as `compression` says.
pub(crate) fn layer(bytes: &[u8], compression: BlobCompression) -> Layer {
    let stored = match compression {
        BlobCompression::None => bytes.to_vec(),
        BlobCompression::Gzip => compressed(bytes, Compression::Gzip),
        BlobCompression::Zstd => compressed(bytes, Compression::Zstd),
    };
    encoded(bytes, &stored, compression)
}

/// The layer of `bytes` that is stored as `stored`.
pub(crate) fn encoded(bytes: &[u8], stored: &[u8], compression: BlobCompression) -> Layer {
    Layer {
        diff_id: DiffId::of(bytes),
        blob: BlobDigest::of(stored),
        blob_size: stored.len() as u64,
        compression,
        content: Arc::new(InMemory { plain: Arc::new(bytes.to_vec()), stored: Arc::new(stored.to_vec()) }),
    }
}

/// The layer that is stored as `stored`, which is compressed as `compression` says.
pub(crate) fn stored_layer(stored: &[u8], compression: BlobCompression) -> Layer {
    let as_codec = match compression {
        BlobCompression::None => Compression::None,
        BlobCompression::Gzip => Compression::Gzip,
        BlobCompression::Zstd => Compression::Zstd,
    };
    let mut plain = Vec::new();
    decoder(as_codec, stored).unwrap().read_to_end(&mut plain).unwrap();
    encoded(&plain, stored, compression)
}

/// A layer that C zlib compressed, as a gzip member of its own.
pub(crate) fn zlib(bytes: &[u8], level: u8) -> Layer {
    encoded(bytes, &gzipped(bytes, level), BlobCompression::Gzip)
}

/// A layer that says it has the digest of `layer`, but gives `bytes`.
pub(crate) fn lying(layer: &Layer, bytes: &[u8]) -> Layer {
    let bytes = Arc::new(bytes.to_vec());
    Layer { content: Arc::new(InMemory { plain: bytes.clone(), stored: bytes }), ..layer.clone() }
}

/// The layer with the right blob, and other bytes as what it is decompressed.
pub(crate) fn damaged_inside(layer: &Layer) -> Layer {
    let stored = Arc::new(bytes(&layer.content.stored().unwrap()));
    Layer { content: Arc::new(InMemory { plain: Arc::new(Vec::new()), stored }), ..layer.clone() }
}

/// An image for linux/amd64 of these layers, lowest first.
pub(crate) fn image_of(name: &str, layers: Vec<Layer>) -> Image {
    image_for(name, "amd64", layers)
}

/// The same for another architecture.
pub(crate) fn image_for(name: &str, architecture: &str, layers: Vec<Layer>) -> Image {
    let diff_ids: Vec<String> = layers.iter().map(|layer| format!("\"{}\"", layer.diff_id)).collect();
    let config = Document::new(
        format!(
            r#"{{"architecture":"{architecture}","created":"2026-01-02T03:04:05Z","os":"linux","config":{{"Labels":{{"name":"{name}"}}}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            diff_ids.join(",")
        )
        .into_bytes(),
    );
    let manifest = manifest_of(&config, &layers);
    let root = Root {
        media_type: OCI_MANIFEST.to_owned(),
        digest: manifest.digest(),
        size: manifest.bytes().len() as u64,
        synthesised: false,
    };
    let described = Manifest {
        digest: manifest.digest(),
        config: ConfigDigest::of(config.bytes()),
        kind: ManifestKind::Image,
        platform: Some(format!("linux/{architecture}").parse().unwrap()),
        layers,
    };
    Image {
        names: vec![name.parse().unwrap()],
        root,
        documents: BTreeMap::from([config, manifest].map(|document| (document.digest(), document))),
        manifests: vec![described],
        docker_manifest: None,
        layout_index: None,
    }
}

fn manifest_of(config: &Document, layers: &[Layer]) -> Document {
    if layers.iter().all(|layer| layer.compression == BlobCompression::None) {
        let sizes: Vec<_> = layers.iter().map(|layer| (layer.diff_id, layer.blob_size)).collect();
        return synthesise_manifest(config, &sizes).unwrap();
    }
    let blob = |kind: &str, digest: BlobDigest, size: u64| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let suffix = |layer: &Layer| match layer.compression {
        BlobCompression::None => "layer.v1.tar",
        BlobCompression::Gzip => "layer.v1.tar+gzip",
        BlobCompression::Zstd => "layer.v1.tar+zstd",
    };
    let blobs: Vec<String> = layers.iter().map(|layer| blob(suffix(layer), layer.blob, layer.blob_size)).collect();
    let config = blob("config.v1+json", config.digest(), config.bytes().len() as u64);
    let text = format!(
        "{{\n  \"schemaVersion\": 2,\n  \"mediaType\": \"{OCI_MANIFEST}\",\n  \"config\": {config},\n  \"layers\": [{}]\n}}",
        blobs.join(",")
    );
    Document::new(text.into_bytes())
}

/// An image of uncompressed layers.
pub(crate) fn image(name: &str, layers: &[&[u8]]) -> Image {
    image_of(name, layers.iter().map(|bytes| layer(bytes, BlobCompression::None)).collect())
}

pub(crate) fn options(method: Method) -> CreateOptions {
    CreateOptions {
        method,
        compression: CompressionOptions::usual(Compression::Zstd),
        identity: Identity::Manifest,
        platforms: Vec::new(),
    }
}

/// The bytes of the package that makes `targets` out of `bases`.
pub(crate) fn packed(targets: &[Image], bases: &[Image], options: &CreateOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let size = create(targets, bases, options, CONTEXT).unwrap().write(&mut out).unwrap();
    assert_eq!(size, out.len() as u64);
    out
}

pub(crate) fn open(package: &[u8]) -> Result<Package> {
    Package::open(Arc::new(package.to_vec()), &MemoryScratch)
}

/// Every layer of `images`.
pub(crate) fn layers(images: &[Image]) -> Vec<Layer> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers).cloned().collect()
}

/// Rebuilds every blob of the package's images.
pub(crate) fn applied(package: &Package, form: &Delivery, bases: &[Layer]) -> Result<Vec<RebuiltImage>> {
    let mut images = apply::images(package, form, &[])?;
    let wanted: Wanted = images
        .iter()
        .flat_map(|image| &image.manifests)
        .flat_map(|manifest| &manifest.layers)
        .map(|(diff_id, blob)| (*blob, *diff_id))
        .collect();
    let blobs = apply::rebuild(package, &wanted, bases, CONTEXT)?;
    for image in &mut images {
        image.blobs = blobs.clone();
    }
    Ok(images)
}

pub(crate) fn bytes(source: &dyn ReadAt) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut Reader::new(source), &mut bytes).unwrap();
    bytes
}

/// `rebuilt` is `target`, byte for byte.
pub(crate) fn assert_same(rebuilt: &RebuiltImage, target: &Image) {
    assert_eq!((&rebuilt.names, &rebuilt.root), (&target.names, &target.root));
    assert_eq!(rebuilt.documents, target.documents);
    for (rebuilt_manifest, manifest) in rebuilt.manifests.iter().zip(&target.manifests) {
        assert_eq!((rebuilt_manifest.digest, rebuilt_manifest.config), (manifest.digest, manifest.config));
        assert_eq!(rebuilt_manifest.layers.len(), manifest.layers.len());
        for layer in &manifest.layers {
            let blob = &rebuilt.blobs[&layer.blob];
            assert!(bytes(blob.bytes()) == bytes(&layer.content.stored().unwrap()), "{}", layer.blob);
        }
    }
    assert_eq!(rebuilt.manifests.len(), target.manifests.len());
}

/// The error that must be.
pub(crate) fn error<T>(result: Result<T>) -> Error {
    result.err().expect("an error")
}

/// The members of a package with their names, without the last one.
pub(crate) fn members(package: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(package);
    let members = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
    });
    members.filter(|(name, _)| name != "closing.json").collect()
}

/// The package with `edit` done to its metadata, which then lists what its documents say as well.
pub(crate) fn edited(package: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut metadata = open(package).unwrap().metadata().clone();
    metadata.requires.remove("implied-1");
    with_metadata(package, serde_json::to_value(metadata).unwrap(), edit)
}

/// The package with `edit` done to its metadata as it stands there.
pub(crate) fn edited_as_stored(package: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    with_metadata(package, serde_json::from_slice(&members(package)[0].1).unwrap(), edit)
}

fn with_metadata(
    package: &[u8],
    mut metadata: serde_json::Value,
    edit: impl FnOnce(&mut serde_json::Value),
) -> Vec<u8> {
    let mut members = members(package);
    edit(&mut metadata);
    members[0].1 = serde_json::to_vec_pretty(&metadata).unwrap();
    sealed(&members)
}
