//! `docker_delta create`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::create::{CreateOptions, check_layers, create, room};
use delta_core::digest::{BlobDigest, Hasher};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::Metadata;
use delta_core::report;
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::file_system;
use delta_transport::reference::Reference;
use serde::Serialize;

use super::list::{self, ListedLayer};
use crate::arguments::{Create, ListArguments};
use crate::figures::{share, size};
use crate::named_images::{self, NamedImages};
use crate::sealing::{self, Signatory};
use crate::session::{Session, inputs};
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
    image_bytes: Option<u64>,
    missing_bytes: u64,
    /// Bytes of layers that registries were asked for.
    fetched_bytes: u64,
    layers: &'a [ListedLayer],
}

pub(crate) fn run(session: &Session, arguments: &Create) -> Result<()> {
    let compression = arguments.compression.checked()?;
    let destination = destination(session, arguments)?;
    let signatory = Signatory::chosen(&arguments.signing)?;
    sealing::require_place(signatory.as_ref(), &destination)?;
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
    file_system::require(session.scratch.folder(), room(&targets, &bases, &options)?, "proving the package")?;
    if arguments.check_bases {
        check_layers(&bases, session.context())?;
    }
    let prepared = create(&targets, &bases, &options, session.context())?;
    session.require_unchanged()?;
    let package = sealing::sealed(prepared.bytes(), signatory.as_ref(), session)?;
    destination.require(package.len())?;
    let written = if arguments.dry_run {
        write_hashed(&package, &mut io::sink())?
    } else {
        destination.write_file(&session.scratch, |out| write_hashed(&package, out))?
    };
    session.registries.finish();
    report(session, arguments, &destination, &prepared.metadata, written)?;
    sealing::finish(signatory.as_ref(), destination.path().filter(|_| !arguments.dry_run), arguments.force, session)
}

/// What a package file is.
#[derive(Clone, Copy)]
struct Written {
    bytes: u64,
    digest: BlobDigest,
}

fn write_hashed(package: &Arc<dyn ReadAt>, out: &mut dyn Write) -> Result<Written> {
    let mut out = Hasher::new(out);
    io::copy(&mut Reader::new(package), &mut out).map_err(Error::io("writing the package"))?;
    let (_, digest, bytes) = out.finish();
    Ok(Written { bytes, digest: digest.into() })
}

/// In a folder the package is called like its image.
fn destination(session: &Session, arguments: &Create) -> Result<Destination> {
    let name = match arguments.images.as_slice() {
        [image] => image.parse::<Reference>()?.stem().map(|stem| format!("{stem}.ddelta")),
        _ => None,
    };
    let destination = session.destination(Request {
        product: Product::Package,
        path: &arguments.package,
        name: name.as_deref(),
        force: arguments.force,
        inputs: &lists(arguments)
            .iter()
            .fold(inputs([&arguments.images, &arguments.bases])?, |inputs, list| inputs.with(list)),
    })?;
    destination.reading_back(arguments.verify_write)
}

/// The files that are read besides the images.
fn lists(arguments: &Create) -> Vec<&Path> {
    let ListArguments { images, bases, compose, kubernetes, .. } = &arguments.lists;
    [images, bases, compose, kubernetes].into_iter().flatten().map(PathBuf::as_path).collect()
}

fn report(
    session: &Session,
    arguments: &Create,
    destination: &Destination,
    metadata: &Metadata,
    written: Written,
) -> Result<()> {
    let package_bytes = written.bytes;
    let layers = list::layers(metadata);
    let image_bytes = report::image_bytes(metadata);
    let missing = report::layers(metadata).into_iter().filter(|layer| !layer.transfer.is_held());
    let missing_bytes = missing.filter_map(|layer| layer.size).sum();
    if session.common.talk.json {
        return terminal::print_json(&Report {
            schema: 1,
            package: destination.to_string(),
            written: !arguments.dry_run,
            package_bytes,
            package_digest: written.digest,
            image_bytes,
            missing_bytes,
            fetched_bytes: session.registries.fetched_bytes(),
            layers: &layers,
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
    let package = if destination.is_stdout() { "the package".to_owned() } else { destination.to_string() };
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
    Ok(())
}
