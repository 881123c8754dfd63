//! Images with large files, made on the spot.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use crate::support::{Folder, docker_delta, peak_megabytes, seen};
use delta_core::digest::{ConfigDigest, DiffId};

const BLOCK: usize = 1 << 20;

/// Bytes that do not repeat, others for every odd `seed` (xorshift64).
fn fill(seed: u64, block: &mut [u8]) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for word in block.chunks_exact_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        word.copy_from_slice(&state.to_le_bytes());
    }
}

/// Writes the archive of an image with one layer of one file: `blocks` megabytes, each made of zeros by `block`.
fn large_image(folder: &Folder, file: &str, blocks: u64, block: impl Fn(u64, &mut [u8])) -> String {
    let layer = folder.file(&format!("{file}.layer"));
    let mut out = BufWriter::new(File::create(&layer).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_path("disk").unwrap();
    header.set_mode(0o600);
    header.set_size(blocks * BLOCK as u64);
    header.set_cksum();
    out.write_all(header.as_bytes()).unwrap();
    let mut bytes = vec![0; BLOCK];
    for number in 0..blocks {
        bytes.fill(0);
        block(number, &mut bytes);
        out.write_all(&bytes).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.flush().unwrap();
    let mut layer = File::open(folder.file(&format!("{file}.layer"))).unwrap();
    let (diff_id, size) = DiffId::of_reader(&mut layer).unwrap();
    layer.seek(SeekFrom::Start(0)).unwrap();
    let config =
        format!(r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#);
    let name = format!("{}.json", ConfigDigest::of(config.as_bytes()).hex());
    let manifest = format!(r#"[{{"Config":"{name}","RepoTags":["large:{file}"],"Layers":["0/layer.tar"]}}]"#);
    let mut archive = tar::Builder::new(BufWriter::new(File::create(folder.file(file)).unwrap()));
    for (name, bytes) in [(name.as_str(), config.as_bytes()), ("manifest.json", manifest.as_bytes())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    archive.append_data(&mut header, "0/layer.tar", layer).unwrap();
    archive.into_inner().unwrap().flush().unwrap();
    std::fs::remove_file(folder.file(&format!("{file}.layer"))).unwrap();
    folder.file(file)
}

#[test]
fn an_image_of_over_a_gigabyte_travels_as_some_kilobytes() {
    let folder = Folder::new();
    let image = |file: &str, blocks: u64, changed: &[u64]| {
        large_image(&folder, file, blocks, |number, block| {
            fill(2 * number + 1, block);
            block[BLOCK / 2] ^= u8::from(changed.contains(&number));
        })
    };
    let base = image("v1", 1050, &[]);
    let target = image("v2", 1060, &[3, 500, 1049]);
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    docker_delta(&["create", &target, &package, "--base", &base, "-m", "xdelta3", "-l", "3"]).ok();
    let size = std::fs::metadata(&package).unwrap().len();
    // Ten megabytes are new.
    assert!((10 << 20..11 << 20).contains(&size), "{size}");
    docker_delta(&["apply", &package, "--base", &base, "-o", &again]).ok();
    assert_eq!(seen(&again), seen(&target));
}

#[test]
fn a_file_of_600_megabytes_with_scattered_changes_takes_little_memory() {
    let folder = Folder::new();
    // A third of it is zeros, as in a disk image; in the target every 16 KiB of every seventh block have another byte.
    let image = |file: &str, changed: bool| {
        large_image(&folder, file, 600, |number, block| {
            if number % 3 > 0 {
                fill(2 * number + 1, block);
            }
            if changed && number % 7 == 0 {
                let first = usize::try_from(number).unwrap();
                block.iter_mut().skip(first).step_by(16 << 10).for_each(|byte| *byte ^= 0x55);
            }
        })
    };
    let (base, target) = (image("v1", false), image("v2", true));
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    let create = peak_megabytes(&folder, &["create", &target, &package, "--base", &base]);
    let apply = peak_megabytes(&folder, &["apply", &package, "--base", &base, "-o", &again]);
    assert_eq!(seen(&again), seen(&target));
    let size = std::fs::metadata(&package).unwrap().len();
    assert!(size < 30_000, "{size}");
    assert!(create <= 700 && apply <= 150, "create {create} MB, apply {apply} MB");
}
