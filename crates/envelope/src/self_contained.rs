//! A package behind the program that applies it: a file that a shell runs, and that is read as a package still.
//!
//! Its head is a script whose text is part of the format, so that no byte of it is without meaning; behind the head comes the program,
//! compressed, and behind that the package, whatever was put around it.

mod program;

use std::io::Read;
use std::sync::Arc;

use delta_codec::{Concat, ReadAt, Reader, Slice};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};

pub use self::program::{Applier, MARK, Machine};
use crate::limits::APPLIER_BYTES;

/// Bytes of the head, whatever stands in it.
const HEAD_BYTES: usize = 4_096;

/// The head, with names where a file has its own values.
const HEAD: &str = include_str!("self_contained/head.sh");

/// What tells such a file, and the version of it.
const MAGIC: &str = "#!/bin/sh\n# self-contained-1: ";

/// What every version of it starts with.
const ANY_VERSION: &str = "#!/bin/sh\n# self-contained-";

/// A package that has the program with it that applies it.
pub struct SelfContained {
    /// Which machines the program is for.
    pub machine: Machine,
    /// Bytes before the package.
    pub front_bytes: u64,
    /// The package, which may be encrypted.
    pub package: Arc<dyn ReadAt>,
    front: Arc<dyn ReadAt>,
}

/// Whether these bytes begin like a package with a program, of whatever version.
///
/// # Errors
/// What reading reports.
pub fn is_self_contained(bytes: &dyn ReadAt) -> Result<bool> {
    let mut first = [0; ANY_VERSION.len()];
    let count = bytes.read_at(&mut first, 0).map_err(Error::io("reading the package"))?;
    Ok(&first[..count] == ANY_VERSION.as_bytes())
}

impl SelfContained {
    /// Takes such a file apart; nothing where it is none. The program in it is compared with its digest, and not run.
    ///
    /// # Errors
    /// Content errors where it is cut off, changed, or of a version that is not known.
    pub fn read(bytes: &Arc<dyn ReadAt>) -> Result<Option<Self>> {
        if !is_self_contained(bytes)? {
            return Ok(None);
        }
        let head = head_of(bytes)?;
        let (machine, compressed_bytes, digest) = parsed(&head).ok_or_else(|| unknown(&head))?;
        let applier = Slice::new(bytes.clone(), HEAD_BYTES as u64, compressed_bytes).ok_or_else(cut)?;
        let found: BlobDigest =
            BlobDigest::of_reader(&mut Reader::new(&applier)).map_err(Error::io("reading the program"))?.0;
        if found != digest {
            let what = "the program before the package".to_owned();
            return Err(Error::Mismatch { what, expected: digest.to_string(), found: found.to_string() });
        }
        let front_bytes = HEAD_BYTES as u64 + compressed_bytes;
        let part =
            |offset, length| Slice::new(bytes.clone(), offset, length).map(|slice| Arc::new(slice) as Arc<dyn ReadAt>);
        let front = part(0, front_bytes).ok_or_else(cut)?;
        let package = part(front_bytes, bytes.len() - front_bytes).ok_or_else(cut)?;
        Ok(Some(Self { machine, front_bytes, package, front }))
    }

    /// The same program before another package.
    pub fn with_package(&self, package: Arc<dyn ReadAt>) -> Arc<dyn ReadAt> {
        Arc::new(Concat::new([self.front.clone(), package]))
    }
}

/// The package in a file, whether there is a program before it or not.
///
/// # Errors
/// As [`SelfContained::read`].
pub fn package_of(bytes: &Arc<dyn ReadAt>) -> Result<Arc<dyn ReadAt>> {
    Ok(SelfContained::read(bytes)?.map_or_else(|| bytes.clone(), |it| it.package))
}

impl Applier {
    /// What stands before a package: the head, and the program. It is read as its receiver does it.
    ///
    /// # Errors
    /// Faults of ours.
    pub fn front(&self) -> Result<Vec<u8>> {
        let digest = BlobDigest::of(self.compressed());
        let mut front = head(self.machine(), self.compressed().len() as u64, digest);
        front.extend(self.compressed());
        let again: Arc<dyn ReadAt> = Arc::new(front.clone());
        match SelfContained::read(&again)? {
            Some(_) => Ok(front),
            None => Err(Error::internal("a program before a package that is not found there again")),
        }
    }
}

fn head(machine: Machine, bytes: u64, digest: BlobDigest) -> Vec<u8> {
    let text = HEAD
        .replace("@MACHINE@", machine.name())
        .replace("@BYTES@", &bytes.to_string())
        .replace("@DIGEST@", &digest.hex());
    let mut head = text.into_bytes();
    head.resize(HEAD_BYTES, b'\n');
    head
}

fn head_of(bytes: &Arc<dyn ReadAt>) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut reader = Reader::new(bytes).take(HEAD_BYTES as u64);
    reader.read_to_end(&mut head).map_err(Error::io("reading the package"))?;
    if head.len() == HEAD_BYTES { Ok(head) } else { Err(cut()) }
}

/// What a head says, if all of it is as it must be.
fn parsed(bytes: &[u8]) -> Option<(Machine, u64, BlobDigest)> {
    let text = str::from_utf8(bytes).ok()?;
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let machine = Machine::of_name(value("machine")?)?;
    let count: u64 = value("bytes")?.parse().ok().filter(|count| *count <= APPLIER_BYTES)?;
    let digest: BlobDigest = format!("sha256:{}", value("digest")?).parse().ok()?;
    (head(machine, count, digest) == bytes).then_some((machine, count, digest))
}

fn cut() -> Error {
    Error::content("it was cut off within the program before the package").with_hint("copy it again")
}

fn unknown(head: &[u8]) -> Error {
    if head.starts_with(MAGIC.as_bytes()) {
        return Error::content("the script at its start was changed").with_hint("copy it again, or get it again");
    }
    let version = String::from_utf8_lossy(head);
    let version = version.lines().nth(1).and_then(|line| line.split([':', ' ']).nth(1)).unwrap_or_default();
    let version = version.chars().take(40).collect::<String>();
    Error::content(format!(
        "expected a package behind a program in the form self-contained-1, found `{}`",
        version.escape_debug()
    ))
    .with_hint("a newer docker_delta may know it")
}
