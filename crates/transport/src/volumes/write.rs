//! Writes the volumes of a package.
//!
//! Every volume names all of its set, so that a part of a set never looks like the whole; the first volume, by which sets are opened, gets
//! its name last. Each has its name as soon as it is on the disk, so that a run that was killed can be gone on with.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_envelope::volumes::{Header, Layout, Set};
use serde::Serialize;

use super::blocks::look;
use super::file_name::VolumeName;
use super::search::header;
use super::split::Split;
use crate::destination::{self, Destination, Product, folder_of};
use crate::file_system;
use crate::inputs::Inputs;
use crate::spool::TempScratch;

/// Where volumes are written.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The path of the package, without a number.
    pub stem: &'a Path,
    /// Whether volumes that are there may be replaced.
    pub force: bool,
    /// Whether those that are there and right stay.
    pub resume: bool,
    /// Whether each is read back from the medium before it gets its name.
    pub reads_back: bool,
    /// What the run reads.
    pub inputs: &'a Inputs,
    /// Room that is not used, as volumes are files.
    pub scratch: &'a TempScratch,
    /// The listener.
    pub progress: &'a dyn Progress,
}

/// A volume that is on the disk.
#[derive(Debug, Serialize)]
pub struct WrittenVolume {
    /// Its number.
    pub volume: u64,
    /// Its file.
    pub file: PathBuf,
    /// The bytes of the file.
    pub bytes: u64,
    /// Whether it was there before, whole.
    pub kept: bool,
}

/// Fails where the first volume cannot be written, before the work that makes it.
///
/// # Errors
/// As [`write()`].
pub fn check(request: Request<'_>, most: Option<u64>) -> Result<()> {
    let path = VolumeName::path(request.stem, 1);
    require_size(folder_of(&path), most.unwrap_or_default())?;
    let force = request.force || request.resume;
    Destination::choose(destination::Request {
        product: Product::Volume,
        path: &path,
        name: None,
        force,
        inputs: request.inputs,
    })
    .map(|_| ())
    .map_err(|error| match header_of(&path) {
        Some(_) => error.with_hint("go on with --resume, or replace the volumes with -f"),
        None => error,
    })
}

/// Writes all volumes, and looks at them again as whoever applies them does.
///
/// # Errors
/// Usage errors for what must not be replaced, environment errors where it cannot be written; volumes that have their names by then are whole.
pub fn write(split: &Split, request: Request<'_>) -> Result<Vec<WrittenVolume>> {
    let layout = split.set.layout;
    let mut replaced = Vec::new();
    let plans = plans(&split.set, request, &mut replaced)?;
    require(&layout, request, &plans)?;
    let mut written = Vec::new();
    for (plan, volume) in plans.iter().rev().zip((1..=layout.volumes()).rev()) {
        let file = VolumeName::path(request.stem, volume);
        if let VolumeStep::Write(destination) = plan {
            request.progress.detail(format_args!("writing {}", file.display()));
            destination.write_file(request.scratch, |out| split.write_volume(volume, out))?;
            prove(&split.set, volume, &file)?;
        }
        let kept = matches!(plan, VolumeStep::Keep);
        written.push(WrittenVolume { volume, file, bytes: layout.file_bytes(volume), kept });
    }
    remove_rest(request, layout.volumes(), &replaced)?;
    written.reverse();
    Ok(written)
}

enum VolumeStep {
    Keep,
    Write(Destination),
}

/// What happens to each volume; the sets that are replaced are noted.
fn plans(set: &Set, request: Request<'_>, replaced: &mut Vec<BlobDigest>) -> Result<Vec<VolumeStep>> {
    let mut plans = Vec::new();
    for volume in 1..=set.layout.volumes() {
        let path = VolumeName::path(request.stem, volume);
        let there = header_of(&path);
        let is_same = there.as_ref().is_some_and(|there| *there.set == *set && there.volume == volume);
        if is_same && (request.resume || request.force) && is_whole(set, volume, &path)? {
            plans.push(VolumeStep::Keep);
            continue;
        }
        if let Some(there) = there
            && !is_same
        {
            if request.resume && !request.force {
                return Err(of_another_set(&path, &there));
            }
            replaced.push(there.set.id());
        }
        let force = request.force || (request.resume && is_same);
        let destination = Destination::choose(destination::Request {
            product: Product::Volume,
            path: &path,
            name: None,
            force,
            inputs: request.inputs,
        })
        .map_err(|error| if is_same { error.with_hint("go on with --resume, or replace it with -f") } else { error })?;
        plans.push(VolumeStep::Write(destination.reading_back(request.reads_back)?));
    }
    Ok(plans)
}

fn of_another_set(path: &Path, there: &Header) -> Error {
    let other = there.set.whole.short();
    Error::usage(format!(
        "{} is a volume of another package ({other}) or of another cut, so that --resume cannot go on with it",
        path.display()
    ))
    .with_hint("name another package, or replace the volumes with -f")
}

fn require(layout: &Layout, request: Request<'_>, plans: &[VolumeStep]) -> Result<()> {
    let path = VolumeName::path(request.stem, 1);
    let folder = folder_of(&path);
    let most = layout.file_bytes(1);
    require_size(folder, most)?;
    let new = (1..=layout.volumes()).zip(plans).filter(|(_, plan)| matches!(plan, VolumeStep::Write(_)));
    let bytes = new.map(|(volume, _)| layout.file_bytes(volume)).sum();
    file_system::require(folder, bytes, "the volumes")
        .map_err(|error| error.with_hint("free some room, or name a place with more of it"))
}

fn require_size(folder: &Path, most: u64) -> Result<()> {
    file_system::require_size(folder, most, "a volume").map_err(|error| error.with_hint("--volume-size fat32"))
}

/// Whether a file is the volume, to the last byte.
pub(super) fn is_whole(set: &Set, volume: u64, path: &Path) -> Result<bool> {
    let Ok(file) = File::open(path) else { return Ok(false) };
    if !file.metadata().is_ok_and(|found| found.is_file() && found.len() == set.layout.file_bytes(volume)) {
        return Ok(false);
    }
    let is_named = matches!(header(&file), Ok(Ok(header)) if *header.set == *set && header.volume == volume);
    Ok(is_named && look(set, &file, volume, &|_| ())?.good.iter().all(|good| *good))
}

/// What was written is looked at by the code that opens it.
pub(super) fn prove(set: &Set, volume: u64, path: &Path) -> Result<()> {
    if is_whole(set, volume, path)? {
        return Ok(());
    }
    Err(Error::environment(format!("{} is not what was written there", path.display()))
        .with_hint("the medium fails; try another one"))
}

fn header_of(path: &Path) -> Option<Header> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    header(&File::open(path).ok()?).ok()?.ok()
}

/// Volumes of the sets that were replaced, behind the last of this one: they would be found as those of another set.
fn remove_rest(request: Request<'_>, volumes: u64, replaced: &[BlobDigest]) -> Result<()> {
    for volume in volumes + 1..=delta_envelope::limits::VOLUMES {
        let path = VolumeName::path(request.stem, volume);
        if header_of(&path).is_some_and(|there| there.volume == volume && replaced.contains(&there.set.id())) {
            fs::remove_file(&path).map_err(Error::io(format!("removing {}", path.display())))?;
        }
    }
    Ok(())
}
