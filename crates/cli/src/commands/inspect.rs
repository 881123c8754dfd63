//! `docker_delta inspect`

use std::fmt::Write;

use delta_core::digest::{BlobDigest, ConfigDigest, DiffId};
use delta_core::error::Result;
use delta_core::image::{BlobCompression, Image, ImageName, Layer, Manifest, ManifestKind, Platform, Root};
use serde::Serialize;

use crate::arguments::Inspect;
use crate::figures::{self, size};
use crate::session::Session;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    images: Vec<SeenImage>,
}

#[derive(Serialize)]
struct SeenImage {
    names: Vec<ImageName>,
    root: Root,
    documents: Vec<(BlobDigest, usize)>,
    manifests: Vec<SeenManifest>,
}

#[derive(Serialize)]
struct SeenManifest {
    digest: BlobDigest,
    config: ConfigDigest,
    kind: ManifestKind,
    platform: Option<Platform>,
    layers: Vec<SeenLayer>,
}

#[derive(Serialize)]
struct SeenLayer {
    diff_id: DiffId,
    blob: BlobDigest,
    blob_size: u64,
    compression: BlobCompression,
}

pub(crate) fn run(session: &Session, arguments: &Inspect) -> Result<()> {
    let [images] = session.open_images([std::slice::from_ref(&arguments.image)])?;
    let images: Vec<SeenImage> = images.iter().map(seen).collect();
    if session.common.talk.json {
        terminal::print_json(&Report { schema: 1, images })
    } else {
        terminal::print(&images.iter().map(text).collect::<Vec<_>>().join("\n"))
    }
}

fn seen(image: &Image) -> SeenImage {
    let layer = |layer: &Layer| SeenLayer {
        diff_id: layer.diff_id,
        blob: layer.blob,
        blob_size: layer.blob_size,
        compression: layer.compression,
    };
    let manifest = |manifest: &Manifest| SeenManifest {
        digest: manifest.digest,
        config: manifest.config,
        kind: manifest.kind,
        platform: manifest.platform.clone(),
        layers: manifest.layers.iter().map(layer).collect(),
    };
    SeenImage {
        names: image.names.clone(),
        root: image.root.clone(),
        documents: image.documents.values().map(|document| (document.digest(), document.bytes().len())).collect(),
        manifests: image.manifests.iter().map(manifest).collect(),
    }
}

fn text(image: &SeenImage) -> String {
    let names: Vec<&str> = image.names.iter().map(ImageName::as_str).collect();
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = writeln!(text, "Image     {}", if names.is_empty() { "(no name)".to_owned() } else { names.join(", ") });
    let origin = if image.root.synthesised { " (made from the config; the source has none)" } else { "" };
    let _ = writeln!(text, "Manifest  {}{origin}", image.root.digest);
    let _ = writeln!(text, "Documents {}, all there", image.documents.len());
    for manifest in &image.manifests {
        let platform = manifest.platform.as_ref().map_or_else(|| "no image".to_owned(), ToString::to_string);
        let _ = writeln!(text, "\n{platform}, image ID {}", manifest.config);
        let row = |layer: &SeenLayer| {
            let compression = format!("{:?}", layer.compression).to_lowercase();
            vec![layer.diff_id.short(), size(layer.blob_size), compression, layer.blob.short()]
        };
        text += &figures::table(&["LAYER", "STORED", "COMPRESSION", "BLOB"], &[1], manifest.layers.iter().map(row));
    }
    text
}
