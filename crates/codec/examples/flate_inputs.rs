//! Writes what the encoders are tried on into a folder, a file each: `flate_inputs FOLDER`; see testdata/flate/README.md.
#![allow(clippy::unwrap_used, reason = "a tool for the people who add encoders")]

#[path = "../tests/common/noise.rs"]
mod noise;
#[path = "../tests/common/plain.rs"]
mod plain;

use std::path::PathBuf;

use noise::noise;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap());
    for (name, bytes) in plain::inputs() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
