//! Blobs that are made again of their layers.

use std::fmt::Display;
use std::io::Read;

use delta_codec::Bounded;
use delta_codec::limits::RECREATION_PLAN_BYTES;
use delta_codec::recreation::{self, Plan};

use crate::error::{Error, Result};
use crate::image::{VerifiedBlob, VerifiedLayer};
use crate::job::places::Room;
use crate::job::progress::Counted;
use crate::layer::coding::MORE_THAN_PROMISED;
use crate::layer::coding::compressed::plain;
use crate::package::metadata::{BlobEntry, PlanPlace};
use crate::package::{Member, Package};

/// Runs the encoder of a blob over `layer`. What comes out must have the blob's size and digest.
pub(crate) fn blob(
    package: &Package,
    entry: &BlobEntry,
    layer: &VerifiedLayer,
    room: Room<'_>,
) -> Result<VerifiedBlob> {
    let what = format!("the blob {} of layer {}", entry.digest.short(), layer.diff_id().short());
    let plan = plan(package, entry)?;
    let blob = make(&plan, layer, (entry, &what), room)?;
    let length = blob.bytes().len();
    if length != entry.size {
        let (expected, found) = (format!("{} bytes", entry.size), format!("{length} bytes"));
        return Err(Error::Mismatch { what, expected, found });
    }
    let (size, encoder) = (entry.size, entry.recreated.as_ref().map_or("an encoder", |recreated| &recreated.encoder));
    room.context.progress.detail(format_args!("{what}: {size} bytes made again by {encoder}"));
    Ok(blob)
}

fn make(plan: &Plan, layer: &VerifiedLayer, (entry, what): (&BlobEntry, &str), room: Room<'_>) -> Result<VerifiedBlob> {
    let doing = format!("making {what} again");
    let task = room.context.progress.begin(&format!("Compressing layer {}", layer.diff_id().short()), Some(entry.size));
    VerifiedBlob::spool(entry.digest, (what, &doing), room, &mut |out| {
        let mut out = Bounded::new(Counted::new(out, task.as_ref()), entry.size, MORE_THAN_PROMISED);
        let made = plan.write(layer.bytes(), &mut out);
        // What the room reports is no fault of the package.
        match (out.into_failure(), made) {
            (Some(error), _) => Err(Error::io(doing.clone())(error)),
            (None, Ok(())) => Ok(()),
            (None, Err(recreation::Error::Io(error))) => Err(Error::io(doing.clone())(error)),
            (None, Err(error)) => Err(Error::content(format!("{doing}: {error}"))),
        }
    })
}

/// The plan of a blob that is made again.
///
/// # Errors
/// Content errors when it is damaged or uses an encoder that the package does not require.
pub(crate) fn plan(package: &Package, entry: &BlobEntry) -> Result<Plan> {
    let fault = |what: &dyn Display| Error::content(format!("the plan of blob {}: {what}", entry.digest.short()));
    let recreated = entry.recreated.as_ref().ok_or_else(|| Error::internal("a blob without a plan"))?;
    let plan = match &recreated.place {
        PlanPlace::Here(plan) => plan.clone(),
        PlanPlace::Member(name) => {
            let member = Member { name: name.clone(), bytes: package.member(name)? };
            let mut bytes = Vec::new();
            plain(&member, RECREATION_PLAN_BYTES as u64)?.read_to_end(&mut bytes).map_err(|error| fault(&error))?;
            Plan::parse(bytes).map_err(|error| fault(&error))?
        }
    };
    match plan.features().into_iter().find(|feature| !package.metadata().requires.contains(*feature)) {
        Some(feature) => Err(fault(&format!("metadata.json does not require `{feature}`, which it uses"))),
        None => Ok(plan),
    }
}
