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
use delta_transport::file::FileBytes;
use delta_transport::{atomic_file, volume};
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
    if !arguments.dry_run {
        atomic_file::check_free(&arguments.delta, arguments.force)?;
    }
    let kind = kind_of(&arguments.new)?;
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
    let delta_bytes = if arguments.dry_run {
        fill(&mut io::sink())?
    } else {
        atomic_file::write_file(&arguments.delta, arguments.force, fill)?
    };
    let verb = if arguments.dry_run { "would weigh" } else { "weighs" };
    session.terminal.inform(format_args!(
        "{} {verb} {} ({delta_bytes} bytes), {} of NEW",
        arguments.delta.display(),
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
    if !arguments.dry_run {
        atomic_file::check_free(&arguments.new, arguments.force)?;
    }
    let delta = FileBytes::open(&arguments.delta)?;
    let within = |error: Error| error.within(&arguments.delta.display().to_string());
    let (kind, old, new) = match standard_delta(session, delta.clone())? {
        Some(standard) => {
            let old = open(session, &arguments.old, StreamKind::File, Detail::Content)?;
            let new = standard.decode(session, &old).map_err(within)?;
            (StreamKind::File, old, new)
        }
        None => {
            let package = Package::open(delta, session.scratch.as_ref()).map_err(within)?;
            let kind = package.metadata().stream.as_ref().map_or(StreamKind::File, |stream| stream.kind);
            let old = open(session, &arguments.old, kind, Detail::Content)?;
            let new = apply_stream(&package, old.clone(), session.context()).map_err(within)?;
            (kind, old, new.bytes().clone())
        }
    };
    if !arguments.dry_run {
        write(arguments, kind, &new)?;
        session.terminal.inform(format_args!("{} is made ({})", arguments.new.display(), size(new.len())));
    }
    let (old_bytes, new_bytes) = (old.len(), new.len());
    json(session, &Report { schema: 1, written: !arguments.dry_run, old_bytes, new_bytes, delta_bytes: None })
}

fn write(arguments: &FileApply, kind: StreamKind, new: &Arc<dyn ReadAt>) -> Result<()> {
    let folder = arguments.new.parent().filter(|folder| !folder.as_os_str().is_empty());
    volume::require(folder.unwrap_or_else(|| Path::new(".")), new.len(), "NEW")?;
    let doing = || Error::io(format!("writing {}", arguments.new.display()));
    match kind {
        StreamKind::File => atomic_file::write_file(&arguments.new, arguments.force, |out| {
            io::copy(&mut Reader::new(new), out).map(|_| ()).map_err(doing())
        }),
        StreamKind::Tree => {
            atomic_file::write_folder(&arguments.new, arguments.force, |folder| tree::unpack(new, folder))
        }
    }
}

fn json(session: &Session, report: &Report) -> Result<()> {
    if session.common.json { terminal::print_json(report) } else { Ok(()) }
}

fn kind_of(path: &Path) -> Result<StreamKind> {
    let metadata = std::fs::metadata(path).map_err(Error::io(format!("opening {}", path.display())))?;
    Ok(if metadata.is_dir() { StreamKind::Tree } else { StreamKind::File })
}

fn open(session: &Session, path: &Path, kind: StreamKind, detail: Detail) -> Result<Arc<dyn ReadAt>> {
    match (kind, kind_of(path)?) {
        (StreamKind::File, StreamKind::File) => FileBytes::open(path),
        (StreamKind::Tree, StreamKind::Tree) => {
            session.context().spool(&format!("reading {}", path.display()), |out| tree::pack(path, detail, out))
        }
        (StreamKind::Tree, StreamKind::File) => {
            Err(Error::usage(format!("{} is a file, expected a folder", path.display())))
        }
        (StreamKind::File, StreamKind::Tree) => {
            Err(Error::usage(format!("{} is a folder, expected a file", path.display())))
        }
    }
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
