//! `docker_delta apply`

use std::collections::{BTreeMap, BTreeSet};

use delta_core::apply::{Delivery, Wanted, images, needed_bases, rebuild};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, ImageName, Layer, RebuiltImage};
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::{LayerEntry, Metadata, Origin};
use delta_transport::destination::{Destination, Request};
use delta_transport::engine::{Engine, Inventory, Store};
use delta_transport::output::Output;
use delta_transport::reference::stem_of_name;
use delta_transport::volume;
use serde::Serialize;

use crate::arguments::Apply;
use crate::figures::size;
use crate::session::{Session, inputs};
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    images: Vec<ImageReport>,
}

/// What became, or would become, of one image.
#[derive(Serialize)]
struct ImageReport {
    names: Vec<ImageName>,
    id: BlobDigest,
    outcome: Outcome,
    /// Tags that named another image before.
    moved: Vec<(ImageName, BlobDigest)>,
    /// Base layers that are read.
    read: Vec<DiffId>,
    /// Bytes that are rebuilt on disk.
    rebuilt_bytes: u64,
    /// Of those, bytes that are compressed again inside the layers.
    recompressed_bytes: u64,
    /// Blobs that are handed over.
    handed_over: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    AlreadyThere,
    Loaded,
    Written,
    WouldBeDone,
}

pub(crate) fn run(session: &Session, arguments: &Apply) -> Result<()> {
    let package = session.open_package(&arguments.package)?;
    if package.metadata().images.is_empty() {
        return Err(Error::usage(format!("{} brings a file or folder, no image", arguments.package.display()))
            .with_hint("apply it with `file_delta apply`"));
    }
    let [bases] = session.open_images([&arguments.bases])?;
    let reports = match &arguments.output {
        Some(output) => to_file(session, arguments, &package, &bases, output)?,
        None => to_engine(session, arguments, &package, &bases)?,
    };
    if session.common.json { terminal::print_json(&Report { schema: 1, images: reports }) } else { Ok(()) }
}

fn to_file(
    session: &Session,
    arguments: &Apply,
    package: &Package,
    bases: &[Image],
    output: &Output,
) -> Result<Vec<ImageReport>> {
    let mut images = named(images(package, &Delivery::Original, &arguments.platforms)?, arguments)?;
    let destination = destination(session, arguments, output, &images)?;
    let wanted: Wanted = images.iter().flat_map(blobs).collect();
    let mut found = layers(bases);
    let needed = needed_bases(package.metadata(), &wanted);
    let absent: BTreeSet<DiffId> =
        needed.iter().filter(|id| !found.iter().any(|layer| layer.diff_id == **id)).copied().collect();
    if !absent.is_empty()
        && let Ok(engine) = session.engine(None)
    {
        let inventory = engine.inventory()?;
        let read =
            engine.layers(&absent, &inventory, &package.metadata().bases, &session.scratch, &session.terminal)?;
        found.extend(read);
    }
    let mut reports: Vec<ImageReport> =
        images.iter().map(|image| report(package.metadata(), image, &wanted, Outcome::WouldBeDone)).collect();
    if arguments.dry_run {
        plan(session, &reports);
        return Ok(reports);
    }
    let rebuilt = rebuilt(session, package, &wanted, &found)?;
    for image in &mut images {
        image.blobs =
            blobs(image).into_iter().filter_map(|(blob, _)| Some((blob, rebuilt.get(&blob)?.clone()))).collect();
    }
    output.write(&images, &destination, &session.scratch, &session.terminal)?;
    for (image, report) in images.iter().zip(&mut reports) {
        report.outcome = Outcome::Written;
        session.terminal.inform(format_args!("{} is in {destination}", label(image)));
    }
    Ok(reports)
}

/// In a folder an archive is called like its image.
fn destination(session: &Session, arguments: &Apply, output: &Output, images: &[RebuiltImage]) -> Result<Destination> {
    let name = match images {
        [image] => image.names.first().and_then(|name| stem_of_name(name.as_str())).map(|stem| format!("{stem}.tar")),
        _ => None,
    };
    let bases = inputs([&arguments.bases])?;
    session.destination(Request {
        product: output.product(),
        path: output.path(),
        name: name.as_deref(),
        force: arguments.force,
        inputs: &bases.with(&arguments.package),
    })
}

fn to_engine(session: &Session, arguments: &Apply, package: &Package, bases: &[Image]) -> Result<Vec<ImageReport>> {
    let engine = session.engine(None)?;
    session.terminal.detail(format_args!("applying to {}", engine.label()));
    let form = match engine.store() {
        Store::Containerd => Delivery::Original,
        Store::Classic | Store::Podman => Delivery::Uncompressed(engine.platform().clone()),
    };
    let images = named(images(package, &form, &arguments.platforms)?, arguments)?;
    let inventory = engine.inventory()?;
    let job = Job { session, arguments, package, bases: layers(bases), engine, inventory };
    images.into_iter().map(|image| job.image(image)).collect()
}

/// What is needed to bring images into an engine.
struct Job<'a> {
    session: &'a Session,
    arguments: &'a Apply,
    package: &'a Package,
    bases: Vec<Layer>,
    engine: Engine,
    inventory: Inventory,
}

impl Job<'_> {
    fn image(&self, mut image: RebuiltImage) -> Result<ImageReport> {
        let metadata = self.package.metadata();
        let id = self.engine.id_of(&image).ok_or_else(|| Error::content("an image without a manifest"))?;
        if self.inventory.with_id(id).is_some() && !self.arguments.force {
            return self.already_there(&image, id);
        }
        let held = self.engine.holds(&image, &self.inventory, &metadata.bases)?;
        let lacking: Wanted = blobs(&image).into_iter().filter(|(blob, _)| !held.contains(blob)).collect();
        let mut report = report(metadata, &image, &lacking, Outcome::WouldBeDone);
        report.id = id;
        if self.arguments.dry_run {
            plan(self.session, std::slice::from_ref(&report));
            return Ok(report);
        }
        image.blobs = self.rebuild(&lacking)?;
        if let Err(error) = self.engine.load(&image, &self.session.terminal) {
            if held.is_empty() {
                return Err(error);
            }
            self.session.terminal.detail(format_args!("{error}; it is loaded again with every layer"));
            image.blobs = self.rebuild(&blobs(&image).into_iter().collect())?;
            self.engine.load(&image, &self.session.terminal)?;
        }
        let loaded = self.engine.tag(id, &image.names, &self.inventory)?;
        self.tell_moved(&loaded.moved);
        self.session.terminal.inform(format_args!("{} is loaded as {}", label(&image), id.short()));
        report.outcome = Outcome::Loaded;
        report.moved = loaded.moved;
        Ok(report)
    }

    fn already_there(&self, image: &RebuiltImage, id: BlobDigest) -> Result<ImageReport> {
        let mut report = report(self.package.metadata(), image, &Wanted::new(), Outcome::AlreadyThere);
        report.id = id;
        if !self.arguments.dry_run {
            report.moved = self.engine.tag(id, &image.names, &self.inventory)?.moved;
            self.tell_moved(&report.moved);
        }
        self.session.terminal.inform(format_args!(
            "{} is there already as {}; nothing is loaded",
            label(image),
            id.short()
        ));
        Ok(report)
    }

    /// The blobs, with base layers read from the files that the user named or else from the engine.
    fn rebuild(&self, wanted: &Wanted) -> Result<BTreeMap<BlobDigest, delta_core::image::VerifiedBlob>> {
        let metadata = self.package.metadata();
        let mut found = self.bases.clone();
        let there: BTreeSet<DiffId> = found.iter().map(|layer| layer.diff_id).collect();
        let absent: BTreeSet<DiffId> = needed_bases(metadata, wanted).difference(&there).copied().collect();
        if !absent.is_empty() {
            let (scratch, terminal) = (&self.session.scratch, &self.session.terminal);
            found.extend(self.engine.layers(&absent, &self.inventory, &metadata.bases, scratch, terminal)?);
        }
        rebuilt(self.session, self.package, wanted, &found)
    }

    fn tell_moved(&self, moved: &[(ImageName, BlobDigest)]) {
        for (name, before) in moved {
            let engine = self.engine.label();
            self.session.terminal.inform(format_args!("{name} named the image {} in {engine} before", before.short()));
        }
    }
}

fn rebuilt(
    session: &Session,
    package: &Package,
    wanted: &Wanted,
    bases: &[Layer],
) -> Result<BTreeMap<BlobDigest, delta_core::image::VerifiedBlob>> {
    let needed = coded(package.metadata(), wanted).map(|layer| layer.size).sum();
    volume::require(session.scratch.folder(), needed, "rebuilding the layers")?;
    rebuild(package, wanted, bases, session.context())
}

/// The images with the name that the user gave, if any.
fn named(mut images: Vec<RebuiltImage>, arguments: &Apply) -> Result<Vec<RebuiltImage>> {
    if let Some(name) = &arguments.name {
        let [image] = images.as_mut_slice() else {
            let names: Vec<String> = images.iter().map(label).collect();
            return Err(Error::usage(format!(
                "{name} cannot name {} images: the package brings {}",
                images.len(),
                names.join(", ")
            )));
        };
        image.names = vec![name.clone()];
    }
    Ok(images)
}

fn report(metadata: &Metadata, image: &RebuiltImage, wanted: &Wanted, outcome: Outcome) -> ImageReport {
    let own: Wanted = blobs(image).into_iter().filter(|(blob, _)| wanted.contains_key(blob)).collect();
    ImageReport {
        names: image.names.clone(),
        id: image.root.digest,
        outcome,
        moved: Vec::new(),
        read: needed_bases(metadata, &own).into_iter().collect(),
        rebuilt_bytes: coded(metadata, &own).map(|layer| layer.size).sum(),
        recompressed_bytes: coded(metadata, &own).map(|layer| layer.origin.recompressed()).sum(),
        handed_over: own.len(),
    }
}

fn plan(session: &Session, reports: &[ImageReport]) {
    for report in reports {
        let names: Vec<&str> = report.names.iter().map(ImageName::as_str).collect();
        session.terminal.inform(format_args!(
            "{}: {} base layers would be read, {} rebuilt, {} compressed again in them, {} blobs handed over",
            names.join(", "),
            report.read.len(),
            size(report.rebuilt_bytes),
            size(report.recompressed_bytes),
            report.handed_over
        ));
    }
}

/// The layers that are rebuilt for the blobs.
fn coded<'a>(metadata: &'a Metadata, wanted: &Wanted) -> impl Iterator<Item = &'a LayerEntry> {
    let layers: BTreeSet<DiffId> = wanted.values().copied().collect();
    let is_coded = |layer: &&LayerEntry| matches!(layer.origin, Origin::Coded { .. });
    layers.into_iter().filter_map(|diff_id| metadata.layer(diff_id)).filter(is_coded)
}

fn blobs(image: &RebuiltImage) -> Vec<(BlobDigest, DiffId)> {
    let layers = image.manifests.iter().flat_map(|manifest| &manifest.layers);
    layers.map(|(diff_id, blob)| (*blob, *diff_id)).collect()
}

fn layers(images: &[Image]) -> Vec<Layer> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers).cloned().collect()
}

fn label(image: &RebuiltImage) -> String {
    image.names.first().map_or_else(|| image.root.digest.short(), ToString::to_string)
}
