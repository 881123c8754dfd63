//! `docker_delta apply`

use std::collections::{BTreeMap, BTreeSet};

use delta_core::apply::{Delivery, Wanted, check_bases, images, needed_bases, rebuild};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, ImageName, Layer, RebuiltImage};
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::{BlobEntry, LayerEntry, Metadata, Origin};
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
    /// Bytes of blobs that are made by compressing layers again.
    recreated_bytes: u64,
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
    let metadata = package.metadata();
    let wanted: Wanted = images.iter().flat_map(blobs).collect();
    let mut found = layers(bases);
    let needed = needed_bases(metadata, &wanted);
    let absent: BTreeSet<DiffId> = needed.difference(&ids(&found)).copied().collect();
    let engine = if absent.is_empty() { None } else { Some(session.engine(None).and_then(with_inventory)) };
    let mut there = ids(&found);
    if let Some(Ok((_, inventory))) = &engine {
        there.extend(inventory.diff_ids_with(&metadata.bases));
    }
    check_bases(metadata, &wanted, &there).map_err(|missing| match &engine {
        Some(Err(error)) => without_engine(&missing, error),
        _ => missing,
    })?;
    require_room(session, metadata, &wanted)?;
    destination.require(size_of(metadata, &wanted))?;
    let mut reports: Vec<ImageReport> =
        images.iter().map(|image| report(metadata, image, &wanted, Outcome::WouldBeDone)).collect();
    if arguments.dry_run {
        plan(session, &reports);
        return Ok(reports);
    }
    if let Some(Ok((engine, inventory))) = &engine {
        found.extend(engine.layers(&absent, inventory, &metadata.bases, &session.scratch, &session.terminal)?);
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
    // What is missing for the last image is said before the first is loaded.
    let planned = images.into_iter().map(|image| job.plan(image)).collect::<Result<Vec<Planned>>>()?;
    if arguments.dry_run {
        return Ok(planned.into_iter().map(|planned| job.tell(planned)).collect());
    }
    planned.into_iter().map(|planned| job.carry_out(planned)).collect()
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

/// What is to be done for one image.
struct Planned {
    image: RebuiltImage,
    id: BlobDigest,
    lacking: Wanted,
    report: ImageReport,
}

impl Job<'_> {
    /// Looks at everything that can be looked at before the engine is given anything.
    fn plan(&self, image: RebuiltImage) -> Result<Planned> {
        let metadata = self.package.metadata();
        let id = self.engine.id_of(&image).ok_or_else(|| Error::content("an image without a manifest"))?;
        if self.inventory.with_id(id).is_some() && !self.arguments.force {
            let report = report(metadata, &image, &Wanted::new(), Outcome::AlreadyThere);
            return Ok(Planned { image, id, lacking: Wanted::new(), report: ImageReport { id, ..report } });
        }
        let held = self.engine.holds(&image, &self.inventory, &metadata.bases)?;
        let lacking: Wanted = blobs(&image).into_iter().filter(|(blob, _)| !held.contains(blob)).collect();
        let mut there = ids(&self.bases);
        there.extend(self.inventory.diff_ids_with(&metadata.bases));
        check_bases(metadata, &lacking, &there)?;
        require_room(self.session, metadata, &lacking)?;
        let report = report(metadata, &image, &lacking, Outcome::WouldBeDone);
        Ok(Planned { image, id, lacking, report: ImageReport { id, ..report } })
    }

    fn tell(&self, planned: Planned) -> ImageReport {
        if planned.report.outcome == Outcome::AlreadyThere {
            self.tell_already_there(&planned);
        } else {
            plan(self.session, std::slice::from_ref(&planned.report));
        }
        planned.report
    }

    fn carry_out(&self, planned: Planned) -> Result<ImageReport> {
        if planned.report.outcome == Outcome::AlreadyThere {
            return self.already_there(planned);
        }
        let Planned { mut image, id, lacking, mut report } = planned;
        image.blobs = self.rebuild(&lacking)?;
        if let Err(error) = self.engine.load(&image, &self.session.terminal) {
            let all: Wanted = blobs(&image).into_iter().collect();
            if all == lacking {
                return Err(error);
            }
            self.session.terminal.detail(format_args!("{error}; it is loaded again with every layer"));
            image.blobs = self.rebuild(&all)?;
            self.engine.load(&image, &self.session.terminal)?;
        }
        let loaded = self.engine.tag(id, &image.names, &self.inventory)?;
        self.tell_moved(&loaded.moved);
        let engine = self.engine.label();
        self.session.terminal.inform(format_args!("{} is loaded into {engine} as {}", label(&image), id.short()));
        report.outcome = Outcome::Loaded;
        report.moved = loaded.moved;
        Ok(report)
    }

    fn already_there(&self, mut planned: Planned) -> Result<ImageReport> {
        planned.report.moved = self.engine.tag(planned.id, &planned.image.names, &self.inventory)?.moved;
        self.tell_moved(&planned.report.moved);
        self.tell_already_there(&planned);
        Ok(planned.report)
    }

    fn tell_already_there(&self, planned: &Planned) {
        self.session.terminal.inform(format_args!(
            "{} is already in {} as {}; nothing is loaded",
            label(&planned.image),
            self.engine.label(),
            planned.id.short()
        ));
    }

    /// The blobs, with base layers read from the files that the user named or else from the engine.
    fn rebuild(&self, wanted: &Wanted) -> Result<BTreeMap<BlobDigest, delta_core::image::VerifiedBlob>> {
        let metadata = self.package.metadata();
        let mut found = self.bases.clone();
        let absent: BTreeSet<DiffId> = needed_bases(metadata, wanted).difference(&ids(&found)).copied().collect();
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
    require_room(session, package.metadata(), wanted)?;
    rebuild(package, wanted, bases, session.context())
}

fn require_room(session: &Session, metadata: &Metadata, wanted: &Wanted) -> Result<()> {
    let layers: u64 = coded(metadata, wanted).map(|layer| layer.size).sum();
    let needed = layers + recreated(metadata, wanted).map(|blob| blob.size).sum::<u64>();
    volume::require(session.scratch.folder(), needed, "rebuilding the layers")
}

/// The bytes of the blobs.
fn size_of(metadata: &Metadata, wanted: &Wanted) -> u64 {
    let size = |(blob, diff_id): (&BlobDigest, &DiffId)| match metadata.blob(*blob) {
        Some(blob) => blob.size,
        None => metadata.layer(*diff_id).map_or(0, |layer| layer.size),
    };
    wanted.iter().map(size).sum()
}

fn with_inventory(engine: Engine) -> Result<(Engine, Inventory)> {
    let inventory = engine.inventory()?;
    Ok((engine, inventory))
}

/// Bases are missing, and there is no engine that could have them.
fn without_engine(missing: &Error, error: &Error) -> Error {
    let both = Error::environment(format!("{missing}; no engine could be asked for them: {error}"));
    match missing.hint() {
        Some(hint) => both.with_hint(hint),
        None => both,
    }
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
        recreated_bytes: recreated(metadata, &own).map(|blob| blob.size).sum(),
        handed_over: own.len(),
    }
}

fn plan(session: &Session, reports: &[ImageReport]) {
    for report in reports {
        let names: Vec<&str> = report.names.iter().map(ImageName::as_str).collect();
        session.terminal.inform(format_args!(
            "{}: {} base layers would be read, {} rebuilt, {} compressed again in them and {} of them, {} blobs handed over",
            names.join(", "),
            report.read.len(),
            size(report.rebuilt_bytes),
            size(report.recompressed_bytes),
            size(report.recreated_bytes),
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

/// The blobs that are made by compressing layers again.
fn recreated<'a>(metadata: &'a Metadata, wanted: &'a Wanted) -> impl Iterator<Item = &'a BlobEntry> {
    wanted.keys().filter_map(|digest| metadata.blob(*digest)).filter(|blob| blob.recreated.is_some())
}

fn blobs(image: &RebuiltImage) -> Vec<(BlobDigest, DiffId)> {
    let layers = image.manifests.iter().flat_map(|manifest| &manifest.layers);
    layers.map(|(diff_id, blob)| (*blob, *diff_id)).collect()
}

fn layers(images: &[Image]) -> Vec<Layer> {
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers).cloned().collect()
}

fn ids(layers: &[Layer]) -> BTreeSet<DiffId> {
    layers.iter().map(|layer| layer.diff_id).collect()
}

fn label(image: &RebuiltImage) -> String {
    image.names.first().map_or_else(|| image.root.digest.short(), ToString::to_string)
}
