//! Says which encoder made compressed files, and how many bytes the plan has that makes each again: `which_encoder FILE...`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints what it finds")]

use std::error::Error;
use std::fs;
use std::io::{Cursor, Read};

use delta_codec::compress::{Compression, decoder};
use delta_codec::recreation::{SearchOutcome, find};

fn main() -> Result<(), Box<dyn Error>> {
    for name in std::env::args().skip(1) {
        let blob = fs::read(&name)?;
        let mut plain = Vec::new();
        decoder(Compression::detect(&blob), Cursor::new(&blob))?.read_to_end(&mut plain)?;
        match find(&blob, &plain)? {
            SearchOutcome::Exact(plan) => {
                let names: Vec<String> = plan.encoder_names().into_iter().collect();
                println!("{name}: {} by a plan of {} bytes of {}", names.join(", "), plan.as_bytes().len(), blob.len());
            }
            SearchOutcome::Unknown(nearest) => println!("{name}: unknown, nearest {nearest:?}"),
        }
    }
    Ok(())
}
