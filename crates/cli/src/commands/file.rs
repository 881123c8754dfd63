//! `file_delta create` and `file_delta apply`

use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

use delta_codec::compress::{Compression, Encoder, decoder};
use delta_codec::{ReadAt, Reader, bsdiff, vcdiff};
use delta_core::apply::apply_stream;
use delta_core::create::create_stream;
use delta_core::error::{Error, Result};
use delta_core::job::choices::CompressionOptions;
use delta_core::job::choices::Method;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::StreamKind;
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::file::FileBytes;
use delta_transport::inputs::Inputs;
use delta_transport::volume;
use serde::Serialize;

use crate::figures::{share, size};
use crate::file_arguments::{FileApply, FileCreate};
use crate::session::Session;
use crate::terminal;
use crate::tree::{self, Detail};

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    written: bool,
    old_bytes: u64,
    new_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_bytes: Option<u64>,
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
    let fill = |out: &mut dyn Write| match (kind, method) {
        (StreamKind::File, Method::Xdelta3 | Method::Bsdiff) => {
            let mut counter = Counter { inner: out, count: 0 };
            // The standard format as it is, so that the standard program reads it.
            standard(session, method, &old, &new, compression, &mut counter)?;
            Ok(counter.count)
        }
        _ => create_stream(kind, old.clone(), new.clone(), (method, compression), session.context())?.write(out),
    };
    let delta_bytes =
        if arguments.dry_run { fill(&mut io::sink())? } else { destination.write_file(&session.scratch, fill)? };
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
        &Report { schema: 1, written: !arguments.dry_run, old_bytes, new_bytes, delta_bytes: Some(delta_bytes) },
    )
}

pub(crate) fn apply(session: &Session, arguments: &FileApply) -> Result<()> {
    let delta = FileBytes::open(&arguments.delta)?;
    let within = |error: Error| error.within(&arguments.delta.display().to_string());
    let (destination, old, new) = match standard_delta(session, delta.clone())? {
        Some(standard) => {
            let destination = target(session, arguments, StreamKind::File)?;
            let old = open(session, &arguments.old, StreamKind::File, Detail::Content)?;
            let new = standard.decode(session, &old).map_err(within)?;
            (destination, old, new)
        }
        None => {
            let package = Package::open(delta, session.scratch.as_ref()).map_err(within)?;
            let kind = package.metadata().stream.as_ref().map_or(StreamKind::File, |stream| stream.kind);
            let destination = target(session, arguments, kind)?;
            let old = open(session, &arguments.old, kind, Detail::Content)?;
            let new = apply_stream(&package, old.clone(), session.context()).map_err(within)?;
            (destination, old, new.bytes().clone())
        }
    };
    destination.require(new.len())?;
    if !arguments.dry_run {
        write(session, &destination, &new)?;
        session.terminal.inform(format_args!("{destination} is made ({})", size(new.len())));
    }
    let (old_bytes, new_bytes) = (old.len(), new.len());
    json(session, &Report { schema: 1, written: !arguments.dry_run, old_bytes, new_bytes, delta_bytes: None })
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

fn write(session: &Session, destination: &Destination, new: &Arc<dyn ReadAt>) -> Result<()> {
    if destination.product() == Product::Tree {
        return destination.write_folder(|folder| tree::unpack(new, folder));
    }
    let doing = || Error::io(format!("writing {destination}"));
    destination.write_file(&session.scratch, |out| io::copy(&mut Reader::new(new), out).map(|_| ()).map_err(doing()))
}

/// What a file or folder is called, however it was named.
fn file_name(path: &Path) -> Option<String> {
    path.canonicalize().ok()?.file_name()?.to_str().map(str::to_owned)
}

fn json(session: &Session, report: &Report) -> Result<()> {
    if session.common.json { terminal::print_json(report) } else { Ok(()) }
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
            session.context().spool(&format!("reading {}", path.display()), |out| tree::pack(path, detail, out))
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
