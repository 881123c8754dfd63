//! The programs that can be put before a package: released ones lie beside this program, one for each kind of machine.
//!
//! They are files of their own and not inside of this program, which would be twice as large for each of them: most packages need none, and whoever
//! sends to another kind of machine has what belongs there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_envelope::self_contained::{Applier, Machine};
use delta_transport::file::FileBytes;

use crate::session::Session;

/// What their names start with.
const NAME: &str = "docker_delta-applier";

/// The program of a file, or the one for a kind of machine.
pub(crate) fn open(wanted: &Path, session: &Session) -> Result<Applier> {
    let path = match wanted.to_str().and_then(Machine::of_name) {
        Some(machine) => beside(machine)?,
        None => wanted.to_owned(),
    };
    let shown = path.display().to_string();
    let bytes = FileBytes::open(&path)?;
    let applier = Applier::read(&bytes, &shown)?;
    if applier.needs_libraries() {
        session.terminal.inform(format_args!(
            "{shown} runs only where the libraries of a system like this one are; the released programs need none"
        ));
    }
    Ok(applier)
}

/// Where programs are installed, and where they are unpacked.
fn beside(machine: Machine) -> Result<PathBuf> {
    let name = format!("{NAME}-{}", machine.name());
    let own = env::current_exe().and_then(fs::canonicalize).map_err(Error::io("looking where this program is"))?;
    let folder = own.parent().unwrap_or(Path::new("/"));
    let places = [folder.join(&name), folder.join("../lib/docker_delta").join(&name)];
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        Error::environment(format!(
            "{name} is neither beside this program, in {}, nor in ../lib/docker_delta",
            folder.display()
        ))
        .with_hint("it is in the packages and archives of a release; name a file that has it: --self-contained=FILE")
    })
}
