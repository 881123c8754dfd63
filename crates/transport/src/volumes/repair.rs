//! Writes the volumes again that are missing or bad.

use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};

use super::blocks::VolumeState;
use super::file_name::VolumeName;
use super::open::{Depth, Opened, Request, open};
use super::split::Split;
use super::write::prove;
use crate::destination::{self, Destination, Product, folder_of};
use crate::inputs::Inputs;

/// What became of a set.
pub struct Repaired {
    /// The set as it was found.
    pub opened: Opened,
    /// The files that were written.
    pub written: Vec<PathBuf>,
}

/// Writes the volumes of a set that are not whole: in the place of the bad ones, and of those that are missing beside the one that was named;
/// or all into another folder.
///
/// # Errors
/// As [`open`]; usage errors for what is no volume, and for files that are not proved to be bad volumes of this set. Nothing is written then.
pub fn repair(request: Request<'_>, output: Option<&Path>) -> Result<Repaired> {
    let shown = request.path.display();
    let Some(opened) = open(Request { depth: Depth::All, ..request })? else {
        return Err(Error::usage(format!("{shown} is no volume of a package, so that nothing repairs it"))
            .with_hint("`docker_delta split PACKAGE --parity 10%` makes volumes that can be repaired"));
    };
    let set = &opened.set;
    let plans = opened
        .states
        .iter()
        .filter(|state| !state.whole)
        .map(|state| Ok((state.volume, destination(request, &opened, state, output)?)))
        .collect::<Result<Vec<(u64, Place)>>>()?;
    let needs_parity = plans.iter().any(|(volume, _)| *volume > set.layout.data_volumes());
    let split = Split::of(set.clone(), opened.bytes.clone(), needs_parity, request.scratch, request.progress)?;
    let mut written = Vec::new();
    for (volume, place) in plans {
        place.destination.require(set.layout.file_bytes(volume))?;
        place.destination.write_file(request.scratch, |out| split.write_volume(volume, out))?;
        prove(set, volume, &place.path)?;
        written.push(place.path);
    }
    Ok(Repaired { opened, written })
}

struct Place {
    path: PathBuf,
    destination: Destination,
}

fn destination(request: Request<'_>, opened: &Opened, state: &VolumeState, output: Option<&Path>) -> Result<Place> {
    let name = VolumeName::path(&opened.stem, state.volume);
    let beside = |folder: &Path| folder.join(name.file_name().unwrap_or_default());
    let path = match (output, &state.file) {
        (Some(folder), _) => beside(folder),
        (None, Some(file)) => file.clone(),
        (None, None) => beside(folder_of(request.path)),
    };
    let is_bad_one = state.file.as_ref() == Some(&path);
    if is_bad_one && !state.is_ours {
        return Err(Error::usage(format!(
            "{} has nothing in it of volume {} of this set, so that it is not replaced",
            path.display(),
            state.volume
        ))
        .with_hint("move it away, or name a folder for what is repaired: -o DIR"));
    }
    let inputs = Inputs::of([]);
    // What was proved to be a bad volume may look like anything.
    let product = if is_bad_one { Product::File } else { Product::Volume };
    let destination = Destination::choose(destination::Request {
        product,
        path: &path,
        name: None,
        force: is_bad_one,
        inputs: &inputs,
    })?;
    Ok(Place { path, destination })
}
