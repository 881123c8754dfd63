//! `docker_delta verify`

use delta_core::error::Result;
use delta_core::job::progress::Progress;
use delta_core::verify::{VerifyReport, verify};
use serde::Serialize;

use crate::arguments::PackageOnly;
use crate::session::Session;
use crate::terminal;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(flatten)]
    report: VerifyReport,
}

pub(crate) fn run(session: &Session, arguments: &PackageOnly) -> Result<()> {
    let package = session.open_package(&arguments.package)?;
    let report =
        verify(&package, session.context()).map_err(|error| error.within(&arguments.package.display().to_string()))?;
    if session.common.json {
        return terminal::print_json(&Report { schema: 1, report });
    }
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
