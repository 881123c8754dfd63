//! `docker_delta push`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_transport::registry::{PackageFile, PlannedPush, PushOutcome};
use delta_transport::volumes::{Depth, VolumeName};
use serde::Serialize;

use crate::arguments::Push;
use crate::figures::size;
use crate::opening::{Beside, Opened};
use crate::session::{Session, Whole};
use crate::terminal;

/// What a package that came through a pipe is called.
const NAMELESS: &str = "package.ddelta";

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    /// By which the package alone is found.
    pushed_as: String,
    /// By which it is found beside others.
    found_by: Option<String>,
    /// The image that it makes.
    target: Option<BlobDigest>,
    outcome: PushOutcome,
    package_bytes: u64,
    sent_bytes: u64,
    bases: Vec<String>,
}

pub(crate) fn run(session: &Session, arguments: &Push) -> Result<()> {
    let (bytes, name) = opened(session, &arguments.package)?;
    let beside = Beside::of(&arguments.package)?;
    let Opened { package, seal } =
        session.package_with(&arguments.package, bytes.clone(), beside.as_ref(), &arguments.opening)?;
    seal.tell(&session.terminal);
    super::apply::require_images(&package, &arguments.package.display().to_string())?;
    let planned = plan(session, arguments, (&package, &name), (&bytes, beside.as_ref()))?;
    session.require_unchanged()?;
    let outcome = match (planned.is_there(), arguments.dry_run) {
        (true, _) => PushOutcome::AlreadyThere,
        (false, true) => PushOutcome::WouldBeDone,
        (false, false) => {
            planned.carry_out()?;
            PushOutcome::Pushed
        }
    };
    tell(session, &planned, outcome);
    if !session.common.talk.json {
        return Ok(());
    }
    terminal::print_json(&Report {
        schema: 1,
        pushed_as: planned.name(),
        found_by: planned.found_by(),
        target: planned.target(),
        outcome,
        package_bytes: planned.size(),
        sent_bytes: planned.lacking_bytes(),
        bases: planned.bases().to_vec(),
    })
}

/// A registry has a package in one piece, which is then called without the number of a volume.
fn opened(session: &Session, path: &Path) -> Result<(Arc<dyn ReadAt>, PathBuf)> {
    let Whole { bytes, volumes } = session.open_whole(path, Depth::Needed)?;
    Ok((bytes, if volumes.is_some() { VolumeName::stem(path) } else { path.to_owned() }))
}

fn plan(
    session: &Session,
    arguments: &Push,
    (package, name): (&Package, &Path),
    (bytes, beside): (&Arc<dyn ReadAt>, Option<&Beside>),
) -> Result<PlannedPush> {
    let name = name.file_name().and_then(|name| name.to_str()).filter(|name| *name != "-");
    let signature = beside.map(|beside| beside.text.as_slice());
    let file = PackageFile { name: name.unwrap_or(NAMELESS), bytes, signature };
    session.registries.plan_push(package, file, &arguments.to, arguments.force)
}

fn tell(session: &Session, planned: &PlannedPush, outcome: PushOutcome) {
    let (name, bytes) = (planned.found_by().unwrap_or_else(|| planned.name()), size(planned.lacking_bytes()));
    let digest = planned.digest();
    match outcome {
        PushOutcome::AlreadyThere => {
            session.terminal.inform(format_args!("the package is already at {name} as {digest}; nothing is sent"));
        }
        PushOutcome::WouldBeDone => {
            session.terminal.inform(format_args!("{bytes} would be sent to {name} as {digest}"))
        }
        PushOutcome::Pushed => {
            session.terminal.inform(format_args!("the package is at {name} as {digest}: {bytes} sent"))
        }
    }
    if !planned.has_target() && planned.found_by().is_none() {
        session.terminal.inform(format_args!(
            "the repository does not have the image that the package makes, so nothing leads to it but its digest: {}; name a tag to \
             give it one",
            planned.name()
        ));
    }
}
