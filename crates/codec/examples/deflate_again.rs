//! Compresses standard input as a program did, into a raw deflate stream on standard output.
//!
//! `deflate_again zlib LEVEL`, `deflate_again gzip LEVEL`, `deflate_again busybox LEVEL`, `deflate_again pigz LEVEL [KIB [dictionary|serial|independent [rsyncable]]]`; compare with what
//! the program wrote behind the header.

use std::error::Error;
use std::io::{self, Write};

use delta_codec::flate::{gnu, pigz, zlib};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let out = io::BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match words[..] {
        ["zlib", level] => {
            let settings = zlib::Settings::new(level.parse()?, 15, 8, 0).ok_or("no such settings")?;
            run(zlib::Encoder::new(settings, out)?)?.finish()?.flush()?;
        }
        [name @ ("gzip" | "busybox"), level] => {
            let program = if name == "gzip" { gnu::Program::Gzip } else { gnu::Program::Busybox };
            let settings = gnu::Settings::new(program, level.parse()?).ok_or("no such settings")?;
            run(gnu::Encoder::new(settings, out))?.finish()?.flush()?;
        }
        ["pigz", level, ref rest @ ..] => {
            let block = rest.first().map_or(Ok(128), |block| block.parse())?;
            let chaining = match rest.get(1) {
                Some(&"independent") => pigz::Chaining::Independent,
                Some(&"serial") => pigz::Chaining::Serial,
                _ => pigz::Chaining::Dictionary,
            };
            let settings = pigz::Settings::new(level.parse()?, block, chaining, rest.len() > 2);
            run(pigz::Encoder::new(settings.ok_or("no such settings")?, out)?)?.finish()?.flush()?;
        }
        _ => return Err("which encoder and level?".into()),
    }
    Ok(())
}

fn run<E: Write>(mut encoder: E) -> io::Result<E> {
    io::copy(&mut io::BufReader::with_capacity(1 << 20, io::stdin().lock()), &mut encoder)?;
    Ok(encoder)
}
