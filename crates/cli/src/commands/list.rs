//! `docker_delta list`

use std::collections::{BTreeMap, BTreeSet};

use delta_core::digest::DiffId;
use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_core::package::metadata::Metadata;
use delta_core::report::{self, BlobReport, BlobTransfer, ImageReport, LayerReport, Transfer, WholeReason};
use serde::Serialize;

use crate::arguments::PackageOnly;
use crate::figures;
use crate::opening::{Opened, Seal};
use crate::session::Session;
use crate::terminal;

/// A layer with the names of the base images that have what it needs.
#[derive(Serialize)]
pub(crate) struct ListedLayer {
    #[serde(flatten)]
    layer: LayerReport,
    base_images: Vec<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    images: Vec<ImageReport>,
    layers: Vec<ListedLayer>,
    #[serde(flatten)]
    seal: Seal,
}

pub(crate) fn run(session: &Session, arguments: &PackageOnly) -> Result<()> {
    let Opened { package, seal } = session.open_package(&arguments.package, &arguments.opening)?;
    let layers = layers(package.metadata());
    layers.iter().for_each(|listed| tell(session, &listed.layer));
    if session.common.talk.json {
        terminal::print_json(&Report { schema: 1, images: report::images(&package)?, layers, seal })
    } else {
        seal.tell(&session.terminal);
        terminal::print(&table(&layers))
    }
}

/// What the table has no room for.
fn tell(session: &Session, layer: &LayerReport) {
    let needs: Vec<String> = layer.needs.iter().map(ToString::to_string).collect();
    let needs = if needs.is_empty() { "no layer".to_owned() } else { needs.join(", ") };
    let bytes = layer.size.map_or_else(|| "not read".to_owned(), |size| format!("{size} bytes"));
    session.terminal.detail(format_args!("layer {}: {bytes}, needs {needs}", layer.diff_id));
    for blob in &layer.blobs {
        session.terminal.detail(format_args!("  blob {}: {} bytes, {}", blob.digest, blob.size, compressed(blob)));
    }
}

pub(crate) fn layers(metadata: &Metadata) -> Vec<ListedLayer> {
    let mut having: BTreeMap<DiffId, BTreeSet<usize>> = BTreeMap::new();
    for (number, base) in metadata.bases.iter().enumerate() {
        for held in &base.layers {
            having.entry(held.diff_id).or_default().insert(number);
        }
    }
    let label = |number: &usize| {
        let base = &metadata.bases[*number];
        base.names.first().map_or_else(|| base.root.short(), ToString::to_string)
    };
    let listed = |layer: LayerReport| {
        let needs = if layer.transfer.is_held() { std::slice::from_ref(&layer.diff_id) } else { &layer.needs };
        let bases: BTreeSet<usize> = needs.iter().filter_map(|needed| having.get(needed)).flatten().copied().collect();
        ListedLayer { base_images: bases.iter().map(label).collect(), layer }
    };
    report::layers(metadata).into_iter().map(listed).collect()
}

pub(crate) fn table(layers: &[ListedLayer]) -> String {
    let row = |listed: &ListedLayer| {
        let layer = &listed.layer;
        let transfer = match (layer.transfer, layer.codec) {
            (Transfer::Referred, _) => "referred".to_owned(),
            (Transfer::Held, _) | (_, None) => "held".to_owned(),
            (Transfer::Whole, Some(_)) => "whole".to_owned(),
            (Transfer::Delta, Some(codec)) => format!("delta ({})", codec.name()),
        };
        vec![
            layer.diff_id.short(),
            figures::known(layer.size),
            transfer,
            layer.blobs.iter().map(compressed).collect::<Vec<_>>().join(", "),
            figures::size(layer.package_bytes),
            listed.base_images.join(", "),
        ]
    };
    figures::table(
        &["LAYER", "SIZE", "TRAVELS AS", "COMPRESSED", "IN PACKAGE", "NEEDS"],
        &[1, 4],
        layers.iter().map(row),
    )
}

/// What happens to a compressed form of a layer.
fn compressed(blob: &BlobReport) -> String {
    match (blob.transfer, blob.reason, &blob.encoder, blob.differs_at) {
        (BlobTransfer::Held, ..) => "held".to_owned(),
        (BlobTransfer::Recreated, _, encoder, _) => format!("again by {}", encoder.as_deref().unwrap_or("an encoder")),
        (_, Some(WholeReason::Smallest), ..) => "whole (smallest)".to_owned(),
        (_, Some(WholeReason::Asked), ..) => "whole (not to be compressed again)".to_owned(),
        (_, _, Some(encoder), Some(offset)) => {
            format!("whole (unknown encoder: not {encoder} from byte {offset} on)")
        }
        (BlobTransfer::Whole, ..) => "whole (unknown encoder)".to_owned(),
    }
}
