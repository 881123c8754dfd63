//! `docker_delta compare`: whether two things hold the same image, whatever the archive around it looks like.

use std::collections::BTreeSet;

use delta_core::digest::{BlobDigest, ConfigDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, Layer, Manifest};
use serde::Serialize;

use crate::arguments::Compare;
use crate::figures;
use crate::session::Session;
use crate::terminal;

/// How much of two images is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Sameness {
    /// Every document and every blob; one digest stands for all.
    Exact,
    /// Config and layers, and so the image ID of stores that unpack; the manifest names other bytes, or one has none.
    Config,
    Different,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    sameness: Sameness,
    sides: [Side; 2],
}

/// What one side has.
#[derive(Serialize)]
struct Side {
    image: String,
    digest: BlobDigest,
    /// Of each platform.
    configs: Vec<ConfigDigest>,
    /// Layers that the other side has not.
    only_here: Vec<DiffId>,
}

pub(crate) fn run(session: &Session, arguments: &Compare) -> Result<()> {
    let texts = [&arguments.left, &arguments.right];
    let [left, right] = session.open_images(texts.map(std::slice::from_ref))?;
    let left = only(&left, &arguments.left)?;
    let right = only(&right, &arguments.right)?;
    let sameness = sameness(left, right);
    let report = Report {
        schema: 1,
        sameness,
        sides: [side(&arguments.left, left, right), side(&arguments.right, right, left)],
    };
    if session.common.talk.json {
        terminal::print_json(&report)?;
    } else {
        terminal::print(&text(&report))?;
    }
    if sameness == Sameness::Different {
        return Err(Error::content(format!("{} and {} are different images", arguments.left, arguments.right)));
    }
    Ok(())
}

fn only<'a>(images: &'a [Image], text: &str) -> Result<&'a Image> {
    let [image] = images else {
        return Err(Error::usage(format!("{text} holds {} images: which of them is to be compared?", images.len()))
            .with_hint("name it: docker-archive:FILE:NAME, oci-archive:FILE:TAG or oci:DIR:TAG"));
    };
    Ok(image)
}

fn sameness(left: &Image, right: &Image) -> Sameness {
    let documents = |image: &Image| image.documents.keys().copied().collect::<BTreeSet<_>>();
    let contents = |image: &Image| -> BTreeSet<(ConfigDigest, Vec<DiffId>)> {
        let layers = |manifest: &Manifest| manifest.layers.iter().map(|layer| layer.diff_id).collect();
        image.manifests.iter().map(|manifest| (manifest.config, layers(manifest))).collect()
    };
    if left.root.digest == right.root.digest && documents(left) == documents(right) {
        Sameness::Exact
    } else if contents(left) == contents(right) {
        Sameness::Config
    } else {
        Sameness::Different
    }
}

fn side(text: &str, image: &Image, other: &Image) -> Side {
    let theirs: BTreeSet<DiffId> = layers(other).map(|layer| layer.diff_id).collect();
    Side {
        image: text.to_owned(),
        digest: image.root.digest,
        configs: image.manifests.iter().map(|manifest| manifest.config).collect(),
        only_here: layers(image).map(|layer| layer.diff_id).filter(|diff_id| !theirs.contains(diff_id)).collect(),
    }
}

fn layers(image: &Image) -> impl Iterator<Item = &Layer> {
    image.manifests.iter().flat_map(|manifest| &manifest.layers)
}

fn text(report: &Report) -> String {
    let verdict = match report.sameness {
        Sameness::Exact => "The same image, byte for byte: one manifest, one digest.",
        Sameness::Config => {
            "The same config and layers, and so the same image ID in Docker's classic store and podman; the manifests differ."
        }
        Sameness::Different => "Different images.",
    };
    let row = |side: &Side| {
        let configs: Vec<String> = side.configs.iter().map(|config| BlobDigest::from(*config).short()).collect();
        vec![terminal::escaped(&side.image), side.digest.short(), configs.join(", "), side.only_here.len().to_string()]
    };
    let header = ["IMAGE", "MANIFEST", "IMAGE ID", "LAYERS ONLY HERE"];
    format!("{verdict}\n\n{}", figures::table(&header, &[3], report.sides.iter().map(row)))
}
