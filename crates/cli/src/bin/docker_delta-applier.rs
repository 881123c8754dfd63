//! `docker_delta-applier`: applies packages and tells what is in them; it makes none.

use std::process::ExitCode;

fn main() -> ExitCode {
    docker_delta::run::applier(std::env::args_os().collect())
}
