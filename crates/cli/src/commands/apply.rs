//! `docker_delta apply`

mod containerd;
mod destinations;
mod foreseen;
mod mapping;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use delta_core::apply::{Cost, Delivery, Wanted, check_bases, images, needed_bases, rebuild_at, rename, sizes};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{BlobCompression, Image, ImageName, Layer, RebuiltImage, layers_of};
use delta_core::job::places::Places;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::Metadata;
use delta_core::report;
use delta_transport::destination::{Destination, Request};
use delta_transport::engine::{Engine, Installation, Inventory, PlannedImage};
use delta_transport::output::Output;
use delta_transport::reference::{Target, stem_of_name};
use delta_transport::registry::Shipped;
use serde::Serialize;

use self::destinations::Place;
use self::foreseen::Foreseen;
pub(crate) use self::mapping::MappingFormat;
use crate::arguments::{Apply, Freshness, Placement};
use crate::figures::size;
use crate::freshness;
use crate::opening::{Opened, Seal};
use crate::session::{Session, inputs};
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Report {
    schema: u32,
    #[serde(flatten)]
    done: Done,
    #[serde(flatten)]
    seal: Seal,
}

/// Where the images are, or would be.
#[derive(Serialize)]
struct Done {
    /// The engine that has them.
    engine: Option<String>,
    /// The file, folder or repository that they are in.
    output: Option<String>,
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
    #[serde(flatten)]
    cost: Cost,
    /// What rebuilding takes in the folder of temporary files.
    room_bytes: u64,
    /// Blobs that are handed over.
    handed_over: usize,
    /// The names that it has in a registry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pushed_as: Vec<String>,
    /// What a registry was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipped: Option<Shipped>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    AlreadyThere,
    Loaded,
    Written,
    Pushed,
    WouldBeDone,
}

/// What shall become of the images of a package, wherever that was found.
pub(super) struct Errand<'a> {
    pub(super) placement: &'a Placement,
    /// A registry, or a part of one, where every image keeps its path ...
    pub(super) to: Option<&'a str>,
    /// ... and how it is said what became of their names.
    pub(super) mapping: MappingFormat,
    /// The file that the package is read from.
    pub(super) file: Option<&'a Path>,
    pub(super) freshness: Freshness,
    /// Whether it is only said what would be done.
    pub(super) is_dry: bool,
    /// Whether a file is read back from its medium.
    pub(super) reads_back: bool,
    /// Whether what is there is done again, and what can be replaced is replaced.
    pub(super) anew: bool,
}

pub(crate) fn run(session: &Session, arguments: &Apply) -> Result<()> {
    let opened = session.open_package(&arguments.package, &arguments.opening)?;
    require_images(&opened.package, &arguments.package.display().to_string())?;
    let [bases] = session.open_images([&arguments.placement.bases])?;
    let errand = Errand {
        placement: &arguments.placement,
        to: arguments.to.as_deref(),
        mapping: arguments.mapping.unwrap_or(MappingFormat::Table),
        file: Some(&arguments.package),
        freshness: arguments.freshness,
        is_dry: arguments.dry_run,
        reads_back: arguments.verify_write,
        anew: arguments.force,
    };
    let report = apply(session, &errand, opened, &bases)?;
    session.registries.finish();
    if session.common.talk.json { terminal::print_json(&report) } else { Ok(()) }
}

/// Fails for a package of a file or folder.
pub(super) fn require_images(package: &Package, place: &str) -> Result<()> {
    if package.metadata().images.is_empty() {
        return Err(Error::usage(format!("{place} brings a file or folder, no image"))
            .with_hint("apply it with `file_delta apply`"));
    }
    Ok(())
}

/// Does what is asked for with a package, wherever that was: unless it is older than what was applied, if that was asked.
pub(super) fn apply(session: &Session, errand: &Errand<'_>, opened: Opened, bases: &[Image]) -> Result<Report> {
    let age = freshness::require(&opened, errand.freshness)?;
    opened.seal.tell(&session.terminal);
    let done = bring(session, errand, &opened.package, bases)?;
    if !errand.is_dry {
        age.note(session)?;
    }
    Ok(Report { schema: 1, done, seal: opened.seal })
}

fn bring(session: &Session, errand: &Errand<'_>, package: &Package, bases: &[Image]) -> Result<Done> {
    match (errand.to, &errand.placement.name, &errand.placement.output) {
        (Some(to), ..) => registry::to_registry(session, errand, package, bases, Place::Prefix(to)),
        (None, Some(Target::Registry(to)), _) => {
            registry::to_registry(session, errand, package, bases, Place::Repository(to))
        }
        (None, Some(Target::Containerd(to)), _) => containerd::to_containerd(session, errand, package, bases, to),
        (None, _, Some(output)) => to_file(session, errand, package, bases, output),
        (None, _, None) => to_engine(session, errand, package, bases),
    }
}

fn to_file(
    session: &Session,
    errand: &Errand<'_>,
    package: &Package,
    bases: &[Image],
    output: &Output,
) -> Result<Done> {
    let mut images =
        named(images(package, &Delivery::Original, &errand.placement.platforms)?, errand.placement.name.as_ref())?;
    let destination = destination(session, errand, output, &images)?;
    let metadata = package.metadata();
    let wanted: Wanted = images.iter().flat_map(RebuiltImage::wanted).collect();
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
    let cost = Cost::of(metadata, &wanted);
    let sizes = sizes(metadata, &wanted);
    let room = if output.has_places(sizes.as_ref(), &destination) { Cost::room_besides_places } else { Cost::room };
    require_room(session, metadata, &wanted, (&found, room(cost)))?;
    destination.require_besides(cost.blob_bytes, session.scratch.folder(), (room(cost), "rebuilding the layers"))?;
    let report = |image| {
        let report = report_of(metadata, image, &wanted, Outcome::WouldBeDone);
        ImageReport { room_bytes: room(report.cost), ..report }
    };
    let mut reports: Vec<ImageReport> = images.iter().map(report).collect();
    let of = |images| Done { engine: None, output: Some(destination.to_string()), images };
    if errand.is_dry {
        plan(session, &reports);
        return Ok(of(reports));
    }
    if let Some(Ok((engine, inventory))) = &engine {
        found.extend(engine.layers(&absent, inventory, &metadata.bases, &session.scratch, &session.terminal)?);
    }
    let make = |places: &dyn Places| rebuild_at(places, package, &wanted, &found, session.context());
    output.write(&mut images, sizes.as_ref(), &destination, (&session.scratch, &session.terminal), make)?;
    for (image, report) in images.iter().zip(&mut reports) {
        report.outcome = Outcome::Written;
        session.terminal.inform(format_args!("{} is in {destination}", image.label()));
    }
    Ok(of(reports))
}

/// Fails when there is no room to fetch and unpack those of the `found` layers that are needed, and to rebuild what is wanted.
fn require_room(
    session: &Session,
    metadata: &Metadata,
    wanted: &Wanted,
    (found, rebuilding): (&[Layer], u64),
) -> Result<()> {
    let needed = needed_bases(metadata, wanted);
    let read: BTreeMap<DiffId, &Layer> = found.iter().rev().map(|layer| (layer.diff_id, layer)).collect();
    let read = || read.values().filter(|layer| needed.contains(&layer.diff_id));
    let is_packed = |layer: &&&Layer| layer.compression != BlobCompression::None;
    let unpacked: u64 = read().filter(is_packed).map(|layer| layer.blob_size).sum();
    let fetched = read().filter(|layer| layer.content.is_far()).map(|layer| (layer.blob, layer.blob_size)).collect();
    let temporary = rebuilding + unpacked;
    session.registries.require_room(&fetched, &session.scratch, (temporary, "rebuilding the layers"))
}

/// In a folder an archive is called like its image.
fn destination(
    session: &Session,
    errand: &Errand<'_>,
    output: &Output,
    images: &[RebuiltImage],
) -> Result<Destination> {
    let name = match images {
        [image] => image.names.first().and_then(|name| stem_of_name(name.as_str())).map(|stem| format!("{stem}.tar")),
        _ => None,
    };
    let bases = inputs([&errand.placement.bases])?;
    let destination = session.destination(Request {
        product: output.product(),
        path: output.path(),
        name: name.as_deref(),
        force: errand.anew,
        inputs: &match errand.file {
            Some(file) => bases.with(file),
            None => bases,
        },
    })?;
    destination.reading_back(errand.reads_back)
}

fn to_engine(session: &Session, errand: &Errand<'_>, package: &Package, bases: &[Image]) -> Result<Done> {
    let engine = session.engine(None)?;
    session.terminal.detail(format_args!("applying to {}", engine.label()));
    let images =
        without_artifacts(session, package, images(package, &engine.delivery(), &errand.placement.platforms)?)?;
    let images = named(images, errand.placement.name.as_ref())?;
    let installation = Installation::new(&engine, package, layers(bases), &session.scratch, &session.terminal)?;
    // What is missing for the last image is said before the first is loaded.
    let plan = |image| installation.plan(image, errand.anew);
    let planned = images.into_iter().map(plan).collect::<Result<Vec<PlannedImage>>>()?;
    let metadata = package.metadata();
    let images = if errand.is_dry {
        planned.iter().map(|image| foreseen(&engine, image).foretold(session, metadata)).collect()
    } else {
        let carry_out = |image| carried_out(session, &engine, metadata, &installation, image);
        planned.into_iter().map(carry_out).collect::<Result<_>>()?
    };
    Ok(Done { engine: Some(engine.label()), output: None, images })
}

/// Engines take images only.
fn without_artifacts(session: &Session, package: &Package, mut images: Vec<RebuiltImage>) -> Result<Vec<RebuiltImage>> {
    let hint = "write it into a layout: -o oci:DIR";
    images.retain(|image| !image.is_artifact());
    if images.is_empty() {
        return Err(Error::usage("the package brings no image that an engine could take").with_hint(hint));
    }
    for artifact in report::images(package)?.iter().filter(|image| image.is_artifact()) {
        let (label, kind) = (artifact.digest.short(), artifact.artifact_types().join(", "));
        session.terminal.inform(format_args!("{label} is no image ({kind}), and the engine does not get it; {hint}"));
    }
    Ok(images)
}

fn carried_out(
    session: &Session,
    engine: &Engine,
    metadata: &Metadata,
    installation: &Installation<'_>,
    planned: PlannedImage,
) -> Result<ImageReport> {
    let foreseen = foreseen(engine, &planned);
    let (mut report, label) = (foreseen.report(metadata), planned.image().label());
    foreseen.tell(session);
    let (id, is_there) = (planned.id(), planned.is_there());
    report.moved = installation.carry_out(planned)?;
    tell_moved(session, &report.moved, &engine.label());
    if !is_there {
        session.terminal.inform(format_args!("{label} is loaded into {} as {}", engine.label(), id.short()));
        report.outcome = Outcome::Loaded;
    }
    Ok(report)
}

fn foreseen<'a>(engine: &Engine, planned: &'a PlannedImage) -> Foreseen<'a> {
    let there = || {
        let (image, engine, id) = (planned.image().label(), engine.label(), planned.id().short());
        format!("{image} is already in {engine} as {id}; no layer is loaded")
    };
    Foreseen {
        image: planned.image(),
        id: planned.id(),
        lacking: planned.lacking(),
        pushed_as: Vec::new(),
        there: planned.is_there().then(there),
    }
}

/// Names that were taken from other images of the engine or store.
fn tell_moved(session: &Session, moved: &[(ImageName, BlobDigest)], place: &str) {
    for (name, before) in moved {
        session.terminal.inform(format_args!("{name} named the image {} in {place} before", before.short()));
    }
}

fn with_inventory(engine: Engine) -> Result<(Engine, Inventory)> {
    let inventory = engine.inventory()?;
    Ok((engine, inventory))
}

/// Bases are missing, and there is no engine that could have them.
pub(super) fn without_engine(missing: &Error, error: &Error) -> Error {
    let both = Error::environment(format!("{missing}; no engine could be asked for them: {error}"));
    match missing.hint() {
        Some(hint) => both.with_hint(hint),
        None => both,
    }
}

/// The images with the name that the user gave, if any.
fn named(mut images: Vec<RebuiltImage>, target: Option<&Target>) -> Result<Vec<RebuiltImage>> {
    if let Some(Target::Name(name)) = target {
        rename(&mut images, name)?;
    }
    Ok(images)
}

fn report_of(metadata: &Metadata, image: &RebuiltImage, wanted: &Wanted, outcome: Outcome) -> ImageReport {
    let own: Wanted = image.wanted().into_iter().filter(|(blob, _)| wanted.contains_key(blob)).collect();
    let cost = Cost::of(metadata, &own);
    ImageReport {
        names: image.names.clone(),
        id: image.root.digest,
        outcome,
        moved: Vec::new(),
        read: needed_bases(metadata, &own).into_iter().collect(),
        room_bytes: cost.room(),
        cost,
        handed_over: own.len(),
        pushed_as: Vec::new(),
        shipped: None,
    }
}

fn plan(session: &Session, reports: &[ImageReport]) {
    for report in reports {
        let names: Vec<&str> = report.names.iter().map(ImageName::as_str).collect();
        session.terminal.inform(format_args!(
            "{}: {} base layers would be read, {} rebuilt, {} compressed again in them and {} of them, {} blobs handed over",
            names.join(", "),
            report.read.len(),
            size(report.cost.rebuilt_bytes),
            size(report.cost.recompressed_bytes),
            size(report.cost.recreated_bytes),
            report.handed_over
        ));
    }
}

pub(super) fn layers(images: &[Image]) -> Vec<Layer> {
    layers_of(images).cloned().collect()
}

pub(super) fn ids(layers: &[Layer]) -> BTreeSet<DiffId> {
    layers.iter().map(|layer| layer.diff_id).collect()
}
