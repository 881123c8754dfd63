//! `docker_delta verify`

use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_core::package::Package;
use delta_core::package::metadata::Index;
use delta_core::verify::{LayerProof, Proof, VerifyReport, room, verify};
use delta_transport::file_system;
use delta_transport::volumes::Depth;
use serde::Serialize;

use super::volumes::{self, SetReport};
use crate::arguments::PackageOnly;
use crate::copies;
use crate::figures;
use crate::opening::{Opened, Seal};
use crate::session::{Session, Whole};
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(flatten)]
    report: VerifyReport,
    #[serde(flatten)]
    seal: Seal,
    /// The volumes that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    volumes: Option<SetReport>,
}

pub(crate) fn run(session: &Session, arguments: &PackageOnly) -> Result<()> {
    let Whole { bytes, volumes } = session.open_whole(&arguments.package, Depth::All)?;
    let known = volumes.as_ref().map(|volumes| volumes.set.whole);
    if let Some(copy) = copies::compared(session, (&arguments.package, &bytes, known), &arguments.opening)? {
        session.terminal.inform(format_args!(
            "{} is a good copy; it is encrypted, so what is in it was not looked at: --identity-file opens it",
            arguments.package.display()
        ));
        return if session.common.talk.json { terminal::print_json(&copy) } else { Ok(()) };
    }
    let Opened { package, seal } = session.package(&arguments.package, bytes, &arguments.opening)?;
    file_system::require(session.scratch.folder(), room(package.metadata()), "rebuilding the layers")?;
    let report = verify(&package, &[], session.context())
        .map_err(|error| error.within(&arguments.package.display().to_string()))?;
    session.require_unchanged()?;
    if session.common.talk.json {
        let volumes = volumes.as_ref().map(SetReport::found);
        return terminal::print_json(&Report { schema: 1, report, seal, volumes });
    }
    if let Some(volumes) = &volumes {
        terminal::print(&format!("{}\n", volumes::table(volumes)))?;
    }
    terminal::print(&table(&package, &report))?;
    seal.tell(&session.terminal);
    session.terminal.inform(format_args!(
        "{} is whole: {} members, {} documents, {} layers rebuilt, {} layers that their base must prove",
        arguments.package.display(),
        report.members,
        report.documents,
        report.rebuilt_layers,
        report.readable_layers
    ));
    Ok(())
}

fn table(package: &Package, report: &VerifyReport) -> String {
    let index = Index::of(package.metadata());
    let size = |diff_id| index.layer(diff_id).and_then(|layer| layer.size);
    let row = |layer: &LayerProof| {
        let proof = match layer.proof {
            Proof::Held => "the base has it",
            Proof::Rebuilt => "rebuilt",
            Proof::ReadThrough => "read through; its base must prove it",
        };
        vec![layer.diff_id.short(), figures::known(size(layer.diff_id)), proof.to_owned()]
    };
    figures::table(&["LAYER", "SIZE", "PROVED"], &[1], report.layers.iter().map(row))
}
