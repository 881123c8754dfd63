//! Compressed files made again by their encoders, of any length: `recreate find BLOB PLAIN PLAN` says which encoder it is, or where the
//! nearest went apart, and writes the plan; `recreate make PLAN PLAIN` writes the blob to standard output.

#![allow(clippy::print_stdout, reason = "a program that prints what it finds")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use delta_codec::ReadAt;
use delta_codec::recreation::{Plan, SearchOutcome, find};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["find", blob, plain, plan] => match find(&Bytes::open(blob)?, &Bytes::open(plain)?)? {
            SearchOutcome::Exact(found) => {
                fs::write(plan, found.as_bytes())?;
                let names: Vec<String> = found.encoder_names().into_iter().collect();
                println!("exact\t{}\t{}", names.join(", "), found.as_bytes().len());
            }
            SearchOutcome::Unknown(Some(nearest)) => println!("unknown\t{}\t{}", nearest.encoder, nearest.differs_at),
            SearchOutcome::Unknown(None) => println!("unknown\tno encoder\t0"),
        },
        ["make", plan, plain] => {
            let mut out = io::BufWriter::with_capacity(1 << 20, io::stdout().lock());
            Plan::parse(fs::read(plan)?)?.write(&Bytes::open(plain)?, &mut out)?;
            out.flush()?;
        }
        _ => return Err("find BLOB PLAIN PLAN, or make PLAN PLAIN".into()),
    }
    Ok(())
}

struct Bytes {
    file: File,
    length: u64,
}

impl Bytes {
    fn open(path: &str) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { length: file.metadata()?.len(), file })
    }
}

impl ReadAt for Bytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}
