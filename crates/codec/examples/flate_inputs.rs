//! Writes what the encoders are tried on into a folder, a file each: `flate_inputs FOLDER`, and with `edges` behind it the families at the edges, each
//! input with its length (4 bytes, the lowest first) before it; see testdata/flate/README.md.
#![allow(clippy::unwrap_used, reason = "a tool for the people who add encoders")]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/common/edges.rs"]
mod edges;
#[path = "../tests/common/noise.rs"]
mod noise;
#[path = "../tests/common/plain.rs"]
mod plain;

use std::path::PathBuf;

use noise::noise;

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap());
    if std::env::args_os().nth(2).is_some_and(|word| word == "edges") {
        for family in edges::families() {
            let framed = family
                .inputs
                .iter()
                .flat_map(|input| [&u32::try_from(input.len()).unwrap().to_le_bytes()[..], input].concat());
            std::fs::write(folder.join(family.name), framed.collect::<Vec<u8>>()).unwrap();
        }
        return;
    }
    for (name, bytes) in plain::inputs() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
