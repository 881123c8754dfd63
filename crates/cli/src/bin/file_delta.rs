//! `file_delta`: the same for files and folders.

use std::process::ExitCode;

fn main() -> ExitCode {
    docker_delta::run::file_delta(std::env::args_os().collect())
}
