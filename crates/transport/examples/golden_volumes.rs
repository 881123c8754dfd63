//! Makes `testdata/golden/volumes`, once: FORMAT.md, section 18.
//!
//! `cargo run -p delta-transport --example golden_volumes FOLDER`

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::job::progress::Silent;
use delta_envelope::volumes::{Layout, Parity, Set};
use delta_transport::spool::TempScratch;
use delta_transport::volumes::{Split, VolumeName};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder")?);
    let [accept, reject] = ["accept", "reject"].map(|name| folder.join(name));
    fs::create_dir_all(accept.join("lost"))?;
    fs::create_dir_all(&reject)?;
    let whole: Vec<u8> =
        (0..30_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).take(30_001).collect();
    fs::write(folder.join("whole"), &whole)?;
    let some = Some(4_096 + 3 * 4_096);
    let half: Parity = "50%".parse()?;
    written(&split(&whole, None, Parity::default())?, &accept.join("one"), &[])?;
    written(&split(&whole, some, Parity::default())?, &accept.join("three"), &[])?;
    written(&split(&whole, some, half)?, &accept.join("parity"), &[])?;
    written(&split(&whole, some, half)?, &accept.join("lost/lost"), &[2])?;
    let one = split(&whole, None, Parity::default())?;
    written(&split(&whole, some, Parity::default())?, &reject.join("missing"), &[3])?;
    let mut bytes = Vec::new();
    one.write_volume(1, &mut bytes)?;
    for (name, at) in [("version", 8), ("header", 50), ("block", 9_000)] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 3;
        fs::write(VolumeName::path(&reject.join(name), 1), bytes)?;
    }
    let lying = Set { layout: one.set.layout, whole: BlobDigest::of(b"another"), blocks: one.set.blocks.clone() };
    fs::write(reject.join("digest.001"), [&lying.header(1)[..], &whole].concat())?;
    Ok(())
}

fn split(whole: &[u8], most: Option<u64>, parity: Parity) -> Result<Split, Box<dyn Error>> {
    let bytes: Arc<dyn ReadAt> = Arc::new(whole.to_vec());
    let layout = Layout::plan(bytes.len(), most, parity)?;
    Ok(Split::new(bytes, layout, &TempScratch::new(None)?, &Silent)?)
}

fn written(split: &Split, stem: &Path, without: &[u64]) -> Result<(), Box<dyn Error>> {
    for volume in (1..=split.set.layout.volumes()).filter(|volume| !without.contains(volume)) {
        split.write_volume(volume, &mut fs::File::create(VolumeName::path(stem, volume))?)?;
    }
    Ok(())
}
