//! Completions and man pages, from the same definitions as the help.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use delta_core::error::{Error, Result};
use delta_transport::destination::{Destination, Product, Request};
use delta_transport::inputs::Inputs;
use delta_transport::spool::TempScratch;

use crate::arguments::Arguments;
use crate::file_arguments::FileArguments;
use crate::terminal;

/// What stands at the end of every page.
const SECTIONS: &str = r#".SH "EXIT STATUS"
.TP
0
done
.TP
1
a fault of the program
.TP
2
usage: what was asked for cannot be meant
.TP
3
surroundings: no engine, no room, an input or output error, a missing base
.TP
4
content: damaged, another digest, an unknown version
.SH ENVIRONMENT
.TP
DOCKER_DELTA_METHOD, DOCKER_DELTA_COMPRESSION, DOCKER_DELTA_LEVEL, DOCKER_DELTA_IDENTITY, DOCKER_DELTA_ENGINE, DOCKER_DELTA_TEMP_DIR
stand for the options of the same names; an option that is given counts more
.TP
TMPDIR
where temporary files are, if neither says otherwise
.TP
DOCKER_HOST, DOCKER_CONTEXT
name the engine, as for Docker's own client
.TP
CONTAINERD_ADDRESS, CONTAINERD_NAMESPACE
name the containerd and the namespace, as for ctr
.TP
NO_COLOR
if set, nothing is coloured
.SH FILES
.TP
*.ddelta
packages: plain tar archives with metadata.json in front
.TP
*.delta
differences of files and folders
.SH "SEE ALSO"
.BR docker_delta (1),
.BR file_delta (1)
"#;

/// Prints the completions of both programs.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "docker_delta", &mut script);
    clap_complete::generate(shell, &mut FileArguments::command(), "file_delta", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))
}

/// Writes a man page for each program and each command of them. Only such a page is replaced.
pub(crate) fn man(folder: &Path) -> Result<()> {
    let doing = || Error::io(format!("writing man pages into {}", folder.display()));
    fs::create_dir_all(folder).map_err(doing())?;
    let scratch = TempScratch::new(None)?;
    for mut command in [Arguments::command(), FileArguments::command()] {
        command = command.disable_help_subcommand(true);
        command.build();
        let commands = command.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
        for command in commands.chain([command.clone()]) {
            let page = Man::new(command);
            let path = folder.join(page.get_filename());
            let (product, force, inputs) = (Product::File, is_page(&path), &Inputs::default());
            let destination = Destination::choose(Request { product, path: &path, name: None, force, inputs })?;
            destination.write_file(&scratch, |mut out| {
                page.render(&mut out).and_then(|()| out.write_all(SECTIONS.as_bytes())).map_err(doing())
            })?;
        }
    }
    Ok(())
}

fn is_page(path: &Path) -> bool {
    let titles = [".TH docker_delta", ".TH file_delta"];
    fs::read_to_string(path).is_ok_and(|page| titles.iter().any(|title| page.contains(title)))
}
