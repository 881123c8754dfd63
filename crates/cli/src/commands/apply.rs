//! `docker_delta apply`

mod containerd;
mod destinations;
mod mapping;
mod registry;

use std::collections::BTreeSet;

use delta_core::apply::{Cost, Delivery, Wanted, check_bases, images, needed_bases, rebuild, rename};
use delta_core::digest::{BlobDigest, DiffId};
use delta_core::error::{Error, Result};
use delta_core::image::{Image, ImageName, Layer, RebuiltImage};
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
pub(crate) use self::mapping::MappingFormat;
use crate::arguments::Apply;
use crate::figures::size;
use crate::freshness;
use crate::opening::{Opened, Seal};
use crate::session::{Session, inputs};
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Report {
    schema: u32,
    /// The engine that has the images, or would get them.
    engine: Option<String>,
    /// The file, folder or repository that they are in, or would be.
    output: Option<String>,
    images: Vec<ImageReport>,
    #[serde(flatten)]
    seal: Seal,
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

pub(crate) fn run(session: &Session, arguments: &Apply) -> Result<()> {
    let opened = session.open_package(&arguments.package, &arguments.opening)?;
    require_images(&opened.package, &arguments.package.display().to_string())?;
    let [bases] = session.open_images([&arguments.bases])?;
    let report = apply_opened(session, arguments, opened, &bases)?;
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
pub(super) fn apply_opened(session: &Session, arguments: &Apply, opened: Opened, bases: &[Image]) -> Result<Report> {
    let age = freshness::require(&opened, arguments.freshness)?;
    opened.seal.tell(&session.terminal);
    let report = apply(session, arguments, &opened.package, bases)?;
    if !arguments.dry_run {
        age.note(session)?;
    }
    Ok(Report { seal: opened.seal, ..report })
}

fn apply(session: &Session, arguments: &Apply, package: &Package, bases: &[Image]) -> Result<Report> {
    match (&arguments.to, &arguments.name, &arguments.output) {
        (Some(to), ..) => registry::to_registry(session, arguments, package, bases, Place::Prefix(to)),
        (None, Some(Target::Registry(to)), _) => {
            registry::to_registry(session, arguments, package, bases, Place::Repository(to))
        }
        (None, Some(Target::Containerd(to)), _) => containerd::to_containerd(session, arguments, package, bases, to),
        (None, _, Some(output)) => to_file(session, arguments, package, bases, output),
        (None, _, None) => to_engine(session, arguments, package, bases),
    }
}

fn to_file(
    session: &Session,
    arguments: &Apply,
    package: &Package,
    bases: &[Image],
    output: &Output,
) -> Result<Report> {
    let mut images = named(images(package, &Delivery::Original, &arguments.platforms)?, arguments.name.as_ref())?;
    let destination = destination(session, arguments, output, &images)?;
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
    destination.require_besides(cost.blob_bytes, session.scratch.folder(), (cost.room(), "rebuilding the layers"))?;
    let mut reports: Vec<ImageReport> =
        images.iter().map(|image| report_of(metadata, image, &wanted, Outcome::WouldBeDone)).collect();
    let of = |images| Report {
        schema: 1,
        engine: None,
        output: Some(destination.to_string()),
        images,
        seal: Seal::default(),
    };
    if arguments.dry_run {
        plan(session, &reports);
        return Ok(of(reports));
    }
    if let Some(Ok((engine, inventory))) = &engine {
        found.extend(engine.layers(&absent, inventory, &metadata.bases, &session.scratch, &session.terminal)?);
    }
    let rebuilt = rebuild(package, &wanted, &found, session.context())?;
    for image in &mut images {
        let blobs = image.wanted().into_keys();
        image.blobs = blobs.filter_map(|blob| Some((blob, rebuilt.get(&blob)?.clone()))).collect();
    }
    output.write(&images, &destination, &session.scratch, &session.terminal)?;
    for (image, report) in images.iter().zip(&mut reports) {
        report.outcome = Outcome::Written;
        session.terminal.inform(format_args!("{} is in {destination}", image.label()));
    }
    Ok(of(reports))
}

/// In a folder an archive is called like its image.
fn destination(session: &Session, arguments: &Apply, output: &Output, images: &[RebuiltImage]) -> Result<Destination> {
    let name = match images {
        [image] => image.names.first().and_then(|name| stem_of_name(name.as_str())).map(|stem| format!("{stem}.tar")),
        _ => None,
    };
    let bases = inputs([&arguments.bases])?;
    let destination = session.destination(Request {
        product: output.product(),
        path: output.path(),
        name: name.as_deref(),
        force: arguments.force,
        inputs: &bases.with(&arguments.package),
    })?;
    destination.reading_back(arguments.verify_write)
}

fn to_engine(session: &Session, arguments: &Apply, package: &Package, bases: &[Image]) -> Result<Report> {
    let engine = session.engine(None)?;
    session.terminal.detail(format_args!("applying to {}", engine.label()));
    let images = without_artifacts(session, package, images(package, &engine.delivery(), &arguments.platforms)?)?;
    let images = named(images, arguments.name.as_ref())?;
    let installation = Installation::new(&engine, package, layers(bases), &session.scratch, &session.terminal)?;
    // What is missing for the last image is said before the first is loaded.
    let plan = |image| installation.plan(image, arguments.force);
    let planned = images.into_iter().map(plan).collect::<Result<Vec<PlannedImage>>>()?;
    let metadata = package.metadata();
    let images = if arguments.dry_run {
        planned.iter().map(|image| foretold(session, &engine, metadata, image)).collect()
    } else {
        let carry_out = |image| carried_out(session, &engine, metadata, &installation, image);
        planned.into_iter().map(carry_out).collect::<Result<_>>()?
    };
    Ok(Report { schema: 1, engine: Some(engine.label()), output: None, images, seal: Seal::default() })
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

fn foretold(session: &Session, engine: &Engine, metadata: &Metadata, planned: &PlannedImage) -> ImageReport {
    let report = report_planned(metadata, planned);
    if planned.is_there() {
        tell_already_there(session, engine, planned);
    } else {
        plan(session, std::slice::from_ref(&report));
    }
    report
}

fn carried_out(
    session: &Session,
    engine: &Engine,
    metadata: &Metadata,
    installation: &Installation<'_>,
    planned: PlannedImage,
) -> Result<ImageReport> {
    let mut report = report_planned(metadata, &planned);
    let (label, id, is_there) = (planned.image().label(), planned.id(), planned.is_there());
    if is_there {
        tell_already_there(session, engine, &planned);
    }
    report.moved = installation.carry_out(planned)?;
    tell_moved(session, &report.moved, &engine.label());
    if !is_there {
        session.terminal.inform(format_args!("{label} is loaded into {} as {}", engine.label(), id.short()));
        report.outcome = Outcome::Loaded;
    }
    Ok(report)
}

fn report_planned(metadata: &Metadata, planned: &PlannedImage) -> ImageReport {
    let outcome = if planned.is_there() { Outcome::AlreadyThere } else { Outcome::WouldBeDone };
    ImageReport { id: planned.id(), ..report_of(metadata, planned.image(), planned.lacking(), outcome) }
}

fn tell_already_there(session: &Session, engine: &Engine, planned: &PlannedImage) {
    let (image, engine, id) = (planned.image().label(), engine.label(), planned.id().short());
    session.terminal.inform(format_args!("{image} is already in {engine} as {id}; no layer is loaded"));
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
    images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers).cloned().collect()
}

pub(super) fn ids(layers: &[Layer]) -> BTreeSet<DiffId> {
    layers.iter().map(|layer| layer.diff_id).collect()
}
