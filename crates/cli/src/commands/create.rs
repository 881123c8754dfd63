//! `docker_delta create`

use delta_core::create::{CreateOptions, create};
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::Metadata;
use delta_core::report;
use delta_transport::{atomic_file, volume};
use serde::Serialize;

use super::list::{self, ListedLayer};
use crate::arguments::Create;
use crate::figures::{share, size};
use crate::session::Session;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    package: String,
    written: bool,
    package_bytes: u64,
    image_bytes: u64,
    missing_bytes: u64,
    layers: &'a [ListedLayer],
}

pub(crate) fn run(session: &Session, arguments: &Create) -> Result<()> {
    let compression = arguments.compression.checked()?;
    if !arguments.dry_run {
        atomic_file::check_free(&arguments.package, arguments.force)?;
    }
    let [targets, bases] = session.open_images([&arguments.images, &arguments.bases])?;
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
    let prepared = create(&targets, &bases, &options, session.context())?;
    let package_bytes = if arguments.dry_run {
        prepared.write(&mut std::io::sink())?
    } else {
        let needed = prepared.metadata.members.iter().map(|member| member.size).sum();
        let folder = arguments.package.parent().filter(|folder| !folder.as_os_str().is_empty());
        volume::require(folder.unwrap_or_else(|| ".".as_ref()), needed, "the package")?;
        atomic_file::write_file(&arguments.package, arguments.force, |out| prepared.write(out))
            .map_err(|error| read_only(error, arguments))?
    };
    report(session, arguments, &prepared.metadata, package_bytes)
}

fn read_only(error: Error, arguments: &Create) -> Error {
    match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
            Error::environment(format!("{} cannot be written: its folder is read-only", arguments.package.display()))
                .with_hint("name a package in a folder that can be written to")
        }
        error => error,
    }
}

fn report(session: &Session, arguments: &Create, metadata: &Metadata, package_bytes: u64) -> Result<()> {
    let layers = list::layers(metadata);
    let image_bytes = metadata.layers.iter().map(|layer| layer.size).sum();
    let missing = report::layers(metadata).into_iter().filter(|layer| !layer.transfer.is_held());
    let missing_bytes = missing.map(|layer| layer.size).sum();
    if session.common.json {
        return terminal::print_json(&Report {
            schema: 1,
            package: arguments.package.display().to_string(),
            written: !arguments.dry_run,
            package_bytes,
            image_bytes,
            missing_bytes,
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
    let verb = if arguments.dry_run { "would weigh" } else { "weighs" };
    session.terminal.inform(format_args!(
        "{} {verb} {} ({package_bytes} bytes): {} of the {} that `docker save` writes, {} of the {} in layers that the \
         base lacks",
        arguments.package.display(),
        size(package_bytes),
        share(package_bytes, image_bytes),
        size(image_bytes),
        share(package_bytes, missing_bytes),
        size(missing_bytes),
    ));
    Ok(())
}
