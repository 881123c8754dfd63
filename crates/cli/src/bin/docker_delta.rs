//! `docker_delta`: makes packages of image differences and applies them.

use std::process::ExitCode;

fn main() -> ExitCode {
    docker_delta::run::docker_delta(std::env::args_os().collect())
}
