//! `file_delta create` and `file_delta apply`

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use delta_codec::{ReadAt, Reader};
use delta_core::apply::{StandardDelta, apply_stream};
use delta_core::create::{create_standard, create_stream};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::facts::Facts;
use delta_core::job::choices::{CompressionOptions, Method};
use delta_core::job::progress::Progress;
use delta_core::package::metadata::{Index, LayerEntry, StreamKind};
use delta_core::package::standard::Sides;
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::file::is_pipe;
use delta_transport::file_system;
use delta_transport::inputs::Inputs;
use delta_transport::system;
use delta_transport::tree::{self, Detail, Lost};
use serde::Serialize;

use crate::figures::{share, size};
use crate::file_arguments::{FileApply, FileCreate};
use crate::opening::{Beside, Opened};
use crate::sealing::{Sealed, Sealing};
use crate::session::Session;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    written: bool,
    old_bytes: u64,
    new_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_bytes: Option<u64>,
    /// What NEW could not be given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost: Vec<LostReport>,
}

#[derive(Serialize)]
struct LostReport {
    what: String,
    entries: u64,
    first: String,
    why: String,
}

impl From<Lost> for LostReport {
    fn from(Lost { what, entries, first, why, .. }: Lost) -> Self {
        Self { what, entries, first, why }
    }
}

pub(crate) fn create(session: &Session, arguments: &FileCreate) -> Result<()> {
    let compression = arguments.compression.checked()?;
    let kind = kind_of(&arguments.new)?;
    check_kind(&arguments.old, kind)?;
    let name = file_name(&arguments.new).map(|name| format!("{name}.delta"));
    let destination = session.destination(Request {
        product: Product::Delta,
        path: &arguments.delta,
        name: name.as_deref(),
        force: arguments.force,
        inputs: &Inputs::of([&*arguments.old, &*arguments.new]),
    })?;
    let destination = destination.reading_back(arguments.verify_write)?;
    let around = (&arguments.signing, &arguments.encryption);
    let sealing = Sealing::chosen(around, (&destination, destination.path()), arguments.force, session)?;
    let facts = if kind == StreamKind::File { facts_of(&arguments.new)? } else { None };
    let old = open(session, &arguments.old, kind, Detail::Content)?;
    let new = open(session, &arguments.new, kind, Detail::Everything)?;
    file_system::require(session.scratch.folder(), stored_bytes(&arguments.new, &new), "proving the difference")?;
    let written = if kind == StreamKind::File && arguments.method != Method::Auto {
        if sealing.signs_inside() {
            return Err(Error::usage(format!("a plain {} difference has no place for a signature", arguments.method))
                .with_hint("add --detached, or leave -m"));
        }
        create_plain(session, arguments, (&old, &new), compression, (&destination, &sealing))?
    } else {
        let chosen = (arguments.method, compression);
        let prepared = create_stream((kind, facts), old.clone(), new.clone(), chosen, session.context())?;
        let package = sealing.signed(prepared.bytes(), session)?;
        put(session, arguments.dry_run, (&destination, &sealing), &package)?
    };
    let delta_bytes = written.bytes;
    let verb = if arguments.dry_run { "would weigh" } else { "weighs" };
    let delta = if destination.is_stdout() { "the difference".to_owned() } else { destination.to_string() };
    session.terminal.inform(format_args!(
        "{delta} {verb} {} ({delta_bytes} bytes), {} of NEW",
        size(delta_bytes),
        share(delta_bytes, new.len())
    ));
    let path = destination.path().filter(|_| !arguments.dry_run);
    sealing.finish(path, (written, None), session)?;
    let (old_bytes, new_bytes) = (old.len(), new.len());
    json(
        session,
        &Report {
            schema: 1,
            written: !arguments.dry_run,
            old_bytes,
            new_bytes,
            delta_bytes: Some(delta_bytes),
            lost: Vec::new(),
        },
    )
}

/// The standard format as it is, so that the standard program reads it.
fn create_plain(
    session: &Session,
    arguments: &FileCreate,
    (old, new): (&Arc<dyn ReadAt>, &Arc<dyn ReadAt>),
    compression: CompressionOptions,
    way: (&Destination, &Sealing),
) -> Result<Sealed> {
    let (delta, Sides { old, new }) = create_standard(arguments.method, old, new, compression, session.context())?;
    let written = put(session, arguments.dry_run, way, &delta)?;
    session.terminal.inform(format_args!(
        "a plain {} difference brings neither permissions, owner, time nor attributes of NEW; that it fits OLD {} only, and \
         makes NEW {}, is checked by file_delta, not by the classic programs",
        arguments.method, old.digest, new.digest
    ));
    Ok(written)
}

/// Writes a difference, unless only its size is wanted.
fn put(
    session: &Session,
    dry_run: bool,
    (destination, sealing): (&Destination, &Sealing),
    bytes: &Arc<dyn ReadAt>,
) -> Result<Sealed> {
    session.require_unchanged()?;
    destination.require(sealing.length(bytes.len()))?;
    let fill = |out: &mut dyn Write| sealing.write(bytes, out);
    if dry_run { fill(&mut io::sink()) } else { destination.write_file(&session.scratch, fill) }
}

pub(crate) fn apply(session: &Session, arguments: &FileApply) -> Result<()> {
    let delta = session.open_file(&arguments.delta)?;
    let within = |error: Error| error.within(&arguments.delta.display().to_string());
    let unopened = Beside::of(&arguments.delta)
        .and_then(|beside| session.unopened(delta, beside.as_ref(), &arguments.opening))
        .map_err(within)?;
    // A signature that is asked for and not beside it can only be in a package, which is then not looked into for anything else.
    let standard = if unopened.needs_signature_inside() {
        None
    } else {
        StandardDelta::detect(unopened.bytes.clone(), session.context()).map_err(within)?
    };
    let (destination, old, new, facts) = match standard {
        Some(standard) => {
            unopened.without_package().map_err(within)?.tell(&session.terminal);
            let destination = target(session, arguments, StreamKind::File)?;
            let old = open(session, &arguments.old, StreamKind::File, Detail::Content)?;
            let size = standard.sides().map(|sides| sides.new.length);
            require_room(session, arguments, &destination, size.unwrap_or(0))?;
            // The formats say how long NEW is only as they go; what the disk has is the bound.
            let most = size.map_or_else(|| file_system::free(session.scratch.folder()), Ok)?;
            let new = standard.apply(&old, most, session.context()).map_err(within)?;
            warn_of(session, &standard, &new)?;
            (destination, old, new, None)
        }
        None => {
            let Opened { package, seal } = unopened.open(session).map_err(|error| match error.hint() {
                Some(_) => within(error),
                None => within(error).with_hint("the order is OLD DELTA NEW"),
            })?;
            seal.tell(&session.terminal);
            let stream = package.metadata().stream.clone();
            let kind = stream.as_ref().map_or(StreamKind::File, |stream| stream.kind);
            let destination = target(session, arguments, kind)?;
            let old = open(session, &arguments.old, kind, Detail::Content)?;
            let index = Index::of(package.metadata());
            let target = stream.as_ref().and_then(|stream| index.layer(stream.target));
            require_room(session, arguments, &destination, target.map_or(0, LayerEntry::known_size))?;
            let new = apply_stream(&package, old.clone(), session.context()).map_err(within)?;
            (destination, old, new.bytes().clone(), stream.and_then(|stream| stream.file))
        }
    };
    session.require_unchanged()?;
    let mut lost = Vec::new();
    if arguments.dry_run {
        session.terminal.inform(format_args!("{destination} would be made ({})", size(new.len())));
    } else {
        lost = write(session, arguments, &destination, &new, facts.as_ref())?;
        for lost in &lost {
            session.terminal.inform(format_args!("NEW goes without {lost}"));
        }
        session.terminal.inform(format_args!("{destination} is made ({})", size(new.len())));
    }
    let (old_bytes, new_bytes) = (old.len(), new.len());
    let lost = lost.into_iter().map(LostReport::from).collect();
    json(session, &Report { schema: 1, written: !arguments.dry_run, old_bytes, new_bytes, delta_bytes: None, lost })
}

/// A wrong OLD may give a wrong NEW, and nobody would know.
fn warn_of(session: &Session, standard: &StandardDelta, new: &Arc<dyn ReadAt>) -> Result<()> {
    if standard.is_blind() {
        let (digest, _) = BlobDigest::of_reader(&mut Reader::new(new)).map_err(Error::io("reading NEW"))?;
        session.terminal.inform(format_args!(
            "this BSDIFF40 difference says neither what it fits nor what it makes: compare that NEW is what its maker had, \
             {digest}"
        ));
    }
    Ok(())
}

/// NEW is made in a temporary file, and then where it shall be.
fn require_room(session: &Session, arguments: &FileApply, destination: &Destination, size: u64) -> Result<()> {
    let bytes = size.saturating_sub(holes(&arguments.old));
    destination.require_besides(bytes, session.scratch.folder(), (bytes, "rebuilding NEW"))
}

/// How much of a file is holes, as those of its next version will be too.
fn holes(path: &Path) -> u64 {
    let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
    found.map_or(0, |found| found.len().saturating_sub(system::held_bytes(&found)))
}

/// The bytes of an opened file or folder without the holes of a file.
fn stored_bytes(path: &Path, bytes: &Arc<dyn ReadAt>) -> u64 {
    bytes.len().saturating_sub(holes(path))
}

/// Where NEW goes. In a folder a file is called like DELTA without its ending.
fn target(session: &Session, arguments: &FileApply, kind: StreamKind) -> Result<Destination> {
    let name = file_name(&arguments.delta).and_then(|name| name.strip_suffix(".delta").map(str::to_owned));
    let destination = session.destination(Request {
        product: if kind == StreamKind::Tree { Product::Tree } else { Product::File },
        path: &arguments.new,
        name: name.as_deref().filter(|name| !name.is_empty()),
        force: arguments.force,
        inputs: &Inputs::of([&*arguments.old, &*arguments.delta]),
    })?;
    destination.reading_back(arguments.verify_write)
}

fn write(
    session: &Session,
    arguments: &FileApply,
    destination: &Destination,
    new: &Arc<dyn ReadAt>,
    facts: Option<&Facts>,
) -> Result<Vec<Lost>> {
    if destination.product() == Product::Tree {
        return destination.write_folder(|folder| tree::unpack(new, folder, arguments.keep()));
    }
    let doing = || Error::io(format!("writing {destination}"));
    let fill = |out: &mut dyn Write| io::copy(&mut Reader::new(new), out).map(|_| ()).map_err(doing());
    let Some(facts) = facts else {
        return destination.write_file(&session.scratch, fill).map(|()| Vec::new());
    };
    let dress = |file: &File| tree::dress_file(file, &arguments.new, facts, arguments.keep());
    destination.write_dressed(&session.scratch, fill, dress).map(Option::unwrap_or_default)
}

/// What a file or folder is called, however it was named.
fn file_name(path: &Path) -> Option<String> {
    path.canonicalize().ok()?.file_name()?.to_str().map(str::to_owned)
}

/// What a file is besides its bytes; nothing is known of what comes through a pipe.
fn facts_of(path: &Path) -> Result<Option<Facts>> {
    if path == Path::new("-") || is_pipe(path) {
        return Ok(None);
    }
    let file = File::open(path).map_err(Error::io(format!("opening {}", path.display())))?;
    tree::facts_of_file(&file, path)
}

fn json(session: &Session, report: &Report) -> Result<()> {
    if session.common.talk.json { terminal::print_json(report) } else { Ok(()) }
}

fn kind_of(path: &Path) -> Result<StreamKind> {
    if path == Path::new("-") {
        return Ok(StreamKind::File);
    }
    let metadata = std::fs::metadata(path).map_err(Error::io(format!("opening {}", path.display())))?;
    Ok(if metadata.is_dir() { StreamKind::Tree } else { StreamKind::File })
}

fn open(session: &Session, path: &Path, kind: StreamKind, detail: Detail) -> Result<Arc<dyn ReadAt>> {
    check_kind(path, kind)?;
    match kind {
        StreamKind::File => session.open_file(path),
        StreamKind::Tree => {
            let doing = format!("reading {}", path.display());
            let stream = session.context().spool(&doing, |out| tree::pack(path, detail, out))?;
            tree::check(&stream, path)?;
            Ok(stream)
        }
    }
}

fn check_kind(path: &Path, expected: StreamKind) -> Result<()> {
    let found = kind_of(path)?;
    if found == expected {
        return Ok(());
    }
    let noun = |kind| if kind == StreamKind::Tree { "folder" } else { "file" };
    let (found, expected) = (noun(found), noun(expected));
    Err(Error::usage(format!("{} is a {found}, expected a {expected}", path.display())))
}
