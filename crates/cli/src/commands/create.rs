//! `docker_delta create`

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::create::{CreateOptions, Room, check_layers, create, room};
use delta_core::digest::BlobDigest;
use delta_core::error::Result;
use delta_core::job::cache::IndexCache;
use delta_core::job::context::Context;
use delta_core::job::progress::Progress;
use delta_core::package::metadata::Metadata;
use delta_core::report;
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::kept_bases::KeptBases;
use delta_transport::reference::Reference;
use serde::Serialize;

use super::list::{self, ListedLayer};
use super::volumes::{Cut, SetReport};
use crate::appliers;
use crate::arguments::{Create, ListArguments};
use crate::figures::{share, size};
use crate::named_images::{self, NamedImages};
use crate::sealing::{Sealed, Sealing};
use crate::session::{Session, inputs};
use crate::surroundings;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    package: String,
    written: bool,
    package_bytes: u64,
    /// Of the whole file, as `sha256sum` prints it.
    package_digest: BlobDigest,
    /// Of them, those of the program that applies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    applier_bytes: Option<u64>,
    image_bytes: Option<u64>,
    missing_bytes: u64,
    /// Bytes of layers that registries were asked for.
    fetched_bytes: u64,
    layers: &'a [ListedLayer],
    /// The volumes that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    volumes: Option<SetReport>,
}

/// Where the package goes.
enum Target<'a> {
    File(Destination),
    Volumes(Cut<'a>),
}

impl Target<'_> {
    /// Beside what a signature goes; nothing where it goes nowhere that has a name.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::File(destination) => destination.path(),
            Self::Volumes(cut) => Some(cut.stem()),
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(destination) => destination.fmt(formatter),
            Self::Volumes(cut) => cut.first().display().fmt(formatter),
        }
    }
}

pub(crate) fn run(session: &Session, arguments: &Create) -> Result<()> {
    let compression = arguments.compression.checked()?;
    let target = target(session, arguments)?;
    let around = (&arguments.signing, &arguments.encryption);
    let sealing = Sealing::chosen(around, (&target, target.path()), arguments.force, session)?;
    let sealing = match &arguments.self_contained {
        Some(wanted) => sealing.behind(&appliers::open(wanted, session)?)?,
        None => sealing,
    };
    let NamedImages { targets, mut bases } = named_images::open(session, arguments)?;
    // What belongs to a base image is not in every engine that has the image.
    if bases.iter().any(|base| !base.is_artifact()) {
        bases.retain(|base| !base.is_artifact());
    }
    for image in targets.iter().filter(|image| image.root.synthesised) {
        session
            .terminal
            .detail(format_args!("{} has no manifest of its own; it gets the one that Docker 25 makes", image.label()));
    }
    let options = CreateOptions {
        method: arguments.method,
        compression,
        identity: arguments.identity,
        platforms: arguments.platforms.clone(),
    };
    let Room { fetched, temporary, travelling } = room(&targets, &bases, &options)?;
    session.registries.require_room(&fetched, &session.scratch, (temporary, "proving the package"))?;
    advise(session, &target, travelling);
    if arguments.check_bases {
        check_layers(&bases, session.context())?;
    }
    let kept = surroundings::kept_bases().filter(|_| !arguments.no_cache).map(KeptBases::new);
    let cache = kept.as_ref().map(|kept| -> &dyn IndexCache { kept });
    let prepared = create(&targets, &bases, &options, Context { cache, ..session.context() })?;
    session.require_unchanged()?;
    let signed = sealing.signed(prepared.bytes(), session)?;
    let write = if arguments.dry_run { foretold } else { written };
    let written = write(session, &target, &sealing, &signed)?;
    session.registries.finish();
    let Written { sealed, volumes, whole } = written;
    report(session, arguments, &target, &prepared.metadata, (sealed, sealing.front_bytes(), volumes))?;
    sealing.finish(target.path().filter(|_| !arguments.dry_run), (sealed, whole.as_ref()), session)
}

fn foretold(session: &Session, target: &Target<'_>, sealing: &Sealing, signed: &Arc<dyn ReadAt>) -> Result<Written> {
    let sealed = sealing.write(signed, &mut io::sink())?;
    match target {
        Target::File(destination) => destination.require(sealed.bytes)?,
        Target::Volumes(cut) => cut.foretell(session, sealed.bytes)?,
    }
    Ok(Written::in_one_file(sealed))
}

fn written(session: &Session, target: &Target<'_>, sealing: &Sealing, signed: &Arc<dyn ReadAt>) -> Result<Written> {
    let bytes = sealing.length(signed.len());
    match target {
        Target::File(destination) => {
            destination.require(bytes)?;
            destination.write_file(&session.scratch, |out| sealing.write(signed, out)).map(Written::in_one_file)
        }
        Target::Volumes(cut) => {
            let whole = sealing.whole(signed, session)?;
            let set = cut.write(session, whole.clone())?;
            let sealed = Sealed { bytes: whole.len(), digest: set.package_digest() };
            Ok(Written { sealed, volumes: Some(set), whole: Some(whole) })
        }
    }
}

/// A file system that takes no large files is told of before the work, which may be long.
fn advise(session: &Session, target: &Target<'_>, most: u64) {
    if let Target::File(destination) = target
        && let Some(largest) = destination.largest_file().filter(|largest| most > *largest)
    {
        session.terminal.inform(format_args!(
            "{destination} is on a FAT file system, which takes no file of more than {largest} bytes: should the package become larger, \
             `--volume-size fat32` splits it"
        ));
    }
}

/// What a package is, and what it is in.
struct Written {
    sealed: Sealed,
    volumes: Option<SetReport>,
    /// What the volumes make, which is in no file of its own.
    whole: Option<Arc<dyn ReadAt>>,
}

impl Written {
    const fn in_one_file(sealed: Sealed) -> Self {
        Self { sealed, volumes: None, whole: None }
    }
}

/// In a folder the package is called like its image.
fn target<'a>(session: &Session, arguments: &'a Create) -> Result<Target<'a>> {
    let name = match arguments.images.as_slice() {
        [image] => image.parse::<Reference>()?.stem().map(|stem| format!("{stem}.{}", ending(arguments))),
        _ => None,
    };
    let inputs =
        lists(arguments).iter().fold(inputs([&arguments.images, &arguments.bases])?, |inputs, list| inputs.with(list));
    if arguments.volumes.is_split()? {
        let place = (arguments.package.as_path(), name.as_deref());
        let cut = Cut::choose(session, &arguments.volumes, place, arguments.force, inputs)?;
        return Ok(Target::Volumes(cut.reading_back(arguments.verify_write)));
    }
    let (path, force) = (arguments.package.as_path(), arguments.force);
    let request = Request { product: Product::Package, path, name: name.as_deref(), force, inputs: &inputs };
    let destination = session.destination(request)?.executable(arguments.self_contained.is_some());
    destination.reading_back(arguments.verify_write).map(Target::File)
}

const fn ending(arguments: &Create) -> &'static str {
    if arguments.self_contained.is_some() { "run" } else { "ddelta" }
}

/// The files that are read besides the images.
fn lists(arguments: &Create) -> Vec<&Path> {
    let ListArguments { images, bases, compose, kubernetes, .. } = &arguments.lists;
    [images, bases, compose, kubernetes].into_iter().flatten().map(PathBuf::as_path).collect()
}

fn report(
    session: &Session,
    arguments: &Create,
    target: &Target<'_>,
    metadata: &Metadata,
    (sealed, applier_bytes, volumes): (Sealed, u64, Option<SetReport>),
) -> Result<()> {
    let package_bytes = sealed.bytes;
    let layers = list::layers(metadata);
    let image_bytes = report::image_bytes(metadata);
    let missing = report::layers(metadata).into_iter().filter(|layer| !layer.transfer.is_held());
    let missing_bytes = missing.filter_map(|layer| layer.size).sum();
    if session.common.talk.json {
        return terminal::print_json(&Report {
            schema: 1,
            package: target.to_string(),
            written: !arguments.dry_run,
            package_bytes,
            package_digest: sealed.digest,
            applier_bytes: Some(applier_bytes).filter(|bytes| *bytes > 0),
            image_bytes,
            missing_bytes,
            fetched_bytes: session.registries.fetched_bytes(),
            layers: &layers,
            volumes,
        });
    }
    if arguments.dry_run {
        terminal::print(&list::table(&layers))?;
    }
    let recompressed: u64 = metadata.layers.iter().map(|layer| layer.origin.recompressed()).sum();
    if recompressed > 0 {
        session.terminal.detail(format_args!("{} are compressed again when it is applied", size(recompressed)));
    }
    if session.registries.fetched_bytes() > 0 {
        session
            .terminal
            .inform(format_args!("{} were fetched from registries", size(session.registries.fetched_bytes())));
    }
    let verb = if arguments.dry_run { "would weigh" } else { "weighs" };
    let package = match target {
        Target::File(destination) if !destination.is_stdout() => destination.to_string(),
        _ => "the package".to_owned(),
    };
    let lacking = if missing_bytes == 0 {
        "the base has every layer".to_owned()
    } else {
        format!("{} of the {} in layers that the base lacks", share(package_bytes, missing_bytes), size(missing_bytes))
    };
    // Layers that were left in their registry have no size.
    let of_all = image_bytes.map_or_else(String::new, |bytes| {
        format!("{} of the {} that `docker save` writes, ", share(package_bytes, bytes), size(bytes))
    });
    session
        .terminal
        .inform(format_args!("{package} {verb} {} ({package_bytes} bytes): {of_all}{lacking}", size(package_bytes),));
    if applier_bytes > 0 {
        session.terminal.inform(format_args!("of it {} are the program that applies it", size(applier_bytes)));
    }
    Ok(())
}
