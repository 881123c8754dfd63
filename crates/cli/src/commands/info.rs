//! `docker_delta info`

use std::fmt::Write;

use delta_core::error::Result;
use delta_core::image::{ImageName, ManifestKind};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::Metadata;
use delta_core::report::{self, ListedReport, PackageReport};
use delta_transport::volumes::{Depth, Opened as OpenedSet};
use serde::Serialize;

use super::volumes::SetReport;
use crate::arguments::PackageOnly;
use crate::figures::{share, size};
use crate::opening::{Opened, Seal};
use crate::session::{Session, Whole};
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    #[serde(flatten)]
    package: &'a PackageReport,
    #[serde(flatten)]
    seal: &'a Seal,
    /// The volumes that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    volumes: Option<SetReport>,
}

pub(crate) fn run(session: &Session, arguments: &PackageOnly) -> Result<()> {
    let Whole { bytes, volumes } = session.open_whole(&arguments.package, Depth::Needed)?;
    let Opened { package, seal } = session.package(&arguments.package, bytes, &arguments.opening)?;
    let report = report::package(&package)?;
    tell(session, &report, package.metadata());
    if session.common.talk.json {
        let volumes = volumes.as_ref().map(SetReport::found);
        terminal::print_json(&Report { schema: 1, package: &report, seal: &seal, volumes })
    } else {
        terminal::print(&(text(&report, &seal) + &volumes.as_ref().map(cut).unwrap_or_default()))
    }
}

/// The volumes that a package is in.
fn cut(volumes: &OpenedSet) -> String {
    let layout = &volumes.set.layout;
    let parity = layout.volumes() - layout.data_volumes();
    format!("{:<16}{}, {parity} of them parity; set {}\n", "Volumes", layout.volumes(), volumes.set.id().short())
}

/// What only a reader of the format asks for.
fn tell(session: &Session, report: &PackageReport, metadata: &Metadata) {
    session.terminal.detail(format_args!("its reader must know {}", report.requires.join(", ")));
    for member in &metadata.members {
        session.terminal.detail(format_args!("member {}: {} bytes", member.name, member.size));
    }
}

fn text(report: &PackageReport, seal: &Seal) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    for image in &report.images {
        let title = if image.is_artifact() { "Artifact" } else { "Image" };
        rows.push((title, names(&image.names, &image.digest.short())));
        rows.push(("  digest", image.digest.to_string()));
        rows.extend(image.listed.iter().flat_map(listed));
        if image.is_artifact() {
            rows.push(("  type", image.artifact_types().join(", ").escape_debug().to_string()));
        }
        for manifest in image.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Image) {
            let platform = manifest.platform.as_ref().map(ToString::to_string).unwrap_or_default();
            let created = manifest.created.as_ref().map(|created| format!(", created {created}")).unwrap_or_default();
            rows.push(("  platform", format!("{platform}, {} layers{created}", manifest.layers)));
            rows.push(("  image ID", manifest.id.to_string()));
        }
        let attestations = image.manifests.iter().filter(|manifest| manifest.kind == ManifestKind::Attestation).count();
        if attestations > 0 && !image.is_artifact() {
            rows.push(("  attestations", attestations.to_string()));
        }
    }
    if let Some(stream) = &report.stream {
        rows.push(("Brings", format!("a {:?} of digest {}", stream.kind, stream.target).to_lowercase()));
        rows.push(("Needs", format!("OLD of {} with digest {}", size(stream.base_size), stream.base)));
    }
    for base in &report.bases {
        let id = base.ids.first().map_or_else(|| base.digest.short(), |id| id.short());
        rows.push(("Needs", format!("{} (image {id})", names(&base.names, "an image without a name"))));
    }
    if report.bases.is_empty() && report.stream.is_none() {
        rows.push(("Needs", "nothing".to_owned()));
    }
    rows.push(("Package", format!("{} ({} bytes)", size(report.package_bytes), report.package_bytes)));
    let of = |bytes| format!("{}; the package is {} of it", size(bytes), share(report.package_bytes, bytes));
    rows.extend(report.image_bytes.map(|bytes| ("Whole", of(bytes))));
    rows.push(("Missing layers", of(report.missing_bytes)));
    if report.recompressed_bytes > 0 {
        let bytes = size(report.recompressed_bytes);
        rows.push(("Recompresses", format!("{bytes} of files in gz, zip or png form when it is applied")));
    }
    if report.recreated_bytes > 0 {
        let encoders = report.encoders.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        rows.push((
            "Compresses",
            format!("{} of layers again by {encoders} when it is applied", size(report.recreated_bytes)),
        ));
    }
    if report.whole_blob_bytes > 0 {
        rows.push(("Compressed", format!("{} of layers travel as they are", size(report.whole_blob_bytes))));
    }
    for blob in &report.whole_blobs {
        let explanation = blob.explanation().unwrap_or_default();
        rows.push(("  blob", format!("{}, {}, {explanation}", blob.digest.short(), size(blob.size))));
    }
    rows.extend(seal.rows());
    rows.push(("Method", format!("{}, {} level {}", report.method, report.compression, report.level)));
    rows.push(("Identity", format!("{:?}", report.identity).to_lowercase()));
    rows.push(("Format", format!("{}, made by {}", report.format, report.created_by)));
    rows.iter().fold(String::new(), |mut text, (label, value)| {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{label:<16}{value}");
        text
    })
}

/// What the layout that an image comes from says of it.
fn listed(listed: &ListedReport) -> Vec<(&'static str, String)> {
    let tag = listed.tag.iter().map(|tag| ("  tag", tag.escape_debug().to_string()));
    let annotations = listed.annotations.iter().filter(|(_, value)| Some(*value) != listed.tag.as_ref());
    let annotation =
        |(key, value): (&String, &String)| ("  annotation", format!("{}={}", key.escape_debug(), value.escape_debug()));
    tag.chain(annotations.map(annotation)).collect()
}

fn names(names: &[ImageName], otherwise: &str) -> String {
    let names: Vec<&str> = names.iter().map(ImageName::as_str).collect();
    if names.is_empty() { otherwise.to_owned() } else { names.join(", ") }
}
