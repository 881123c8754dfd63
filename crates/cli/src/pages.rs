//! Completions and man pages, from the same definitions as the help.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use delta_core::error::{Error, Result};

use crate::arguments::Arguments;
use crate::file_arguments::FileArguments;
use crate::terminal;

/// Prints the completions of both programs.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "docker_delta", &mut script);
    clap_complete::generate(shell, &mut FileArguments::command(), "file_delta", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))
}

/// Writes a man page for each program and each command of them.
pub(crate) fn man(folder: &Path) -> Result<()> {
    let doing = || Error::io(format!("writing man pages into {}", folder.display()));
    fs::create_dir_all(folder).map_err(doing())?;
    for command in [Arguments::command(), FileArguments::command()] {
        clap_mangen::generate_to(command.disable_help_subcommand(true), folder).map_err(doing())?;
    }
    Ok(())
}
