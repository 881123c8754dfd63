//! `file_delta create` and `file_delta apply`

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, decoder};
use delta_codec::{ReadAt, Reader, bsdiff, vcdiff};
use delta_core::apply::apply_stream;
use delta_core::create::create_stream;
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::facts::Facts;
use delta_core::job::choices::CompressionOptions;
use delta_core::job::choices::Method;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::StreamKind;
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::file::FileBytes;
use delta_transport::inputs::Inputs;
use delta_transport::tree::{self, Detail, Lost};
use delta_transport::volume;
use serde::Serialize;

use crate::figures::{share, size};
use crate::file_arguments::{FileApply, FileCreate};
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
    let old = open(session, &arguments.old, kind, Detail::Content)?;
    let new = open(session, &arguments.new, kind, Detail::Everything)?;
    let method = arguments.method;
    let facts = match kind {
        StreamKind::File => Some(facts_of(&arguments.new)?),
        StreamKind::Tree => None,
    };
    let fill = |out: &mut dyn Write| match (kind, method) {
        (StreamKind::File, Method::Xdelta3 | Method::Bsdiff) => {
            let mut counter = Counter { inner: out, count: 0 };
            // The standard format as it is, so that the standard program reads it.
            standard(session, method, &old, &new, compression, &mut counter)?;
            Ok(counter.count)
        }
        _ => create_stream((kind, facts.clone()), old.clone(), new.clone(), (method, compression), session.context())?
            .write(out),
    };
    let delta_bytes =
        if arguments.dry_run { fill(&mut io::sink())? } else { destination.write_file(&session.scratch, fill)? };
    if kind == StreamKind::File && method != Method::Auto {
        session.terminal.inform(format_args!(
            "a plain {method} difference brings neither permissions, owner, time and attributes of NEW nor digests: it fits \
             OLD {} only, and makes NEW {}",
            digest(&old)?,
            digest(&new)?
        ));
    }
    let verb = if arguments.dry_run { "would weigh" } else { "weighs" };
    let delta = if destination.is_stdout() { "the difference".to_owned() } else { destination.to_string() };
    session.terminal.inform(format_args!(
        "{delta} {verb} {} ({delta_bytes} bytes), {} of NEW",
        size(delta_bytes),
        share(delta_bytes, new.len())
    ));
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

pub(crate) fn apply(session: &Session, arguments: &FileApply) -> Result<()> {
    let delta = FileBytes::open(&arguments.delta)?;
    let within = |error: Error| error.within(&arguments.delta.display().to_string());
    let (destination, old, new, facts) = match standard_delta(session, delta.clone())? {
        Some(standard) => {
            let destination = target(session, arguments, StreamKind::File)?;
            let old = open(session, &arguments.old, StreamKind::File, Detail::Content)?;
            let new = standard.decode(session, &old).map_err(within)?;
            standard.warn(session, &new)?;
            (destination, old, new, None)
        }
        None => {
            let package = Package::open(delta, session.scratch.as_ref()).map_err(within)?;
            let kind = package.metadata().stream.as_ref().map_or(StreamKind::File, |stream| stream.kind);
            let destination = target(session, arguments, kind)?;
            let old = open(session, &arguments.old, kind, Detail::Content)?;
            let new = apply_stream(&package, old.clone(), session.context()).map_err(within)?;
            let facts = package.metadata().stream.as_ref().and_then(|stream| stream.file.clone());
            (destination, old, new.bytes().clone(), facts)
        }
    };
    destination.require(new.len())?;
    let mut lost = Vec::new();
    if !arguments.dry_run {
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

/// Where NEW goes. In a folder a file is called like DELTA without its ending.
fn target(session: &Session, arguments: &FileApply, kind: StreamKind) -> Result<Destination> {
    let name = file_name(&arguments.delta).and_then(|name| name.strip_suffix(".delta").map(str::to_owned));
    session.destination(Request {
        product: if kind == StreamKind::Tree { Product::Tree } else { Product::File },
        path: &arguments.new,
        name: name.as_deref().filter(|name| !name.is_empty()),
        force: arguments.force,
        inputs: &Inputs::of([&*arguments.old, &*arguments.delta]),
    })
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

fn facts_of(path: &Path) -> Result<Facts> {
    let file = File::open(path).map_err(Error::io(format!("opening {}", path.display())))?;
    tree::facts_of_file(&file, path)
}

fn digest(bytes: &Arc<dyn ReadAt>) -> Result<BlobDigest> {
    let (digest, _) = BlobDigest::of_reader(&mut Reader::new(bytes)).map_err(Error::io("reading OLD and NEW"))?;
    Ok(digest)
}

fn json(session: &Session, report: &Report) -> Result<()> {
    if session.common.talk.json { terminal::print_json(report) } else { Ok(()) }
}

fn kind_of(path: &Path) -> Result<StreamKind> {
    let metadata = std::fs::metadata(path).map_err(Error::io(format!("opening {}", path.display())))?;
    Ok(if metadata.is_dir() { StreamKind::Tree } else { StreamKind::File })
}

fn open(session: &Session, path: &Path, kind: StreamKind, detail: Detail) -> Result<Arc<dyn ReadAt>> {
    check_kind(path, kind)?;
    match kind {
        StreamKind::File => FileBytes::open(path),
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

fn standard(
    session: &Session,
    method: Method,
    old: &Arc<dyn ReadAt>,
    new: &Arc<dyn ReadAt>,
    CompressionOptions { compressor, level, .. }: CompressionOptions,
    out: &mut dyn Write,
) -> Result<()> {
    let encode = || -> io::Result<()> {
        if method == Method::Bsdiff {
            return bsdiff::encode(old, new, session.scratch.as_ref(), out);
        }
        let mut encoder = Encoder::new(out, compressor, level, None)?;
        vcdiff::encode(old, new, b"", &mut encoder)?;
        encoder.finish()?.flush()
    };
    encode().map_err(Error::io("writing the difference"))
}

/// A difference in one of the standard formats, without a package around it.
enum Standard {
    Vcdiff(Arc<dyn ReadAt>, Compression),
    Bsdiff(Arc<dyn ReadAt>),
}

fn standard_delta(session: &Session, delta: Arc<dyn ReadAt>) -> Result<Option<Standard>> {
    let doing = || Error::io("reading the difference");
    let mut first = [0; 6];
    let count = delta.read_at(&mut first, 0).map_err(doing())?;
    let compression = Compression::detect(&first[..count]);
    let mut magic = Vec::new();
    decoder(compression, Reader::new(&delta)).map_err(doing())?.take(8).read_to_end(&mut magic).map_err(doing())?;
    if magic.starts_with(&vcdiff::MAGIC[..3]) {
        return Ok(Some(Standard::Vcdiff(delta, compression)));
    }
    if magic != bsdiff::MAGIC {
        return Ok(None);
    }
    let plain = match compression {
        Compression::None => delta,
        _ => {
            let mut plain = decoder(compression, Reader::new(delta)).map_err(doing())?;
            session.scratch.spool(&mut plain, "decompressing the difference")?
        }
    };
    Ok(Some(Standard::Bsdiff(plain)))
}

impl Standard {
    /// A wrong OLD gives a wrong NEW, which nothing in BSDIFF40 tells.
    fn warn(&self, session: &Session, new: &Arc<dyn ReadAt>) -> Result<()> {
        if let Self::Bsdiff(_) = self {
            session.terminal.inform(format_args!(
                "a BSDIFF40 difference has no digests: compare that NEW is what its maker had, {}",
                digest(new)?
            ));
        }
        Ok(())
    }

    fn decode(&self, session: &Session, old: &Arc<dyn ReadAt>) -> Result<Arc<dyn ReadAt>> {
        // The formats say how long NEW is only as they go; what the disk has is the bound.
        let most = volume::free(session.scratch.folder())?;
        session.context().spool("rebuilding NEW", |out| match self {
            Self::Vcdiff(delta, compression) => {
                let delta = decoder(*compression, Reader::new(delta)).map_err(Error::io("reading the difference"))?;
                let decoded = vcdiff::decode(old, BufReader::new(delta), out, most);
                decoded.map(|_| ()).map_err(|error| Error::content(error.to_string()))
            }
            Self::Bsdiff(delta) => {
                let decoded = bsdiff::decode(old, delta, out, most);
                decoded.map(|_| ()).map_err(|error| Error::content(error.to_string()))
            }
        })
    }
}

struct Counter<'a> {
    inner: &'a mut dyn Write,
    count: u64,
}

impl Write for Counter<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
