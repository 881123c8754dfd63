//! An image of over a gigabyte, made on the spot.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use crate::support::{Folder, docker_delta, noise, seen};
use delta_core::digest::{DiffId, ImageId};

const BLOCK: usize = 1 << 20;

/// Writes the archive of an image with one layer of one file: `blocks` megabytes, the ones in `changed` with a changed byte.
fn large_image(folder: &Folder, file: &str, blocks: u64, changed: &[u64]) -> String {
    let layer = folder.file(&format!("{file}.layer"));
    let mut out = BufWriter::new(File::create(&layer).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_path("disk").unwrap();
    header.set_mode(0o600);
    header.set_size(blocks * BLOCK as u64);
    header.set_cksum();
    out.write_all(header.as_bytes()).unwrap();
    for number in 0..blocks {
        let mut block = noise(2 * number + 1, BLOCK);
        if changed.contains(&number) {
            block[BLOCK / 2] ^= 1;
        }
        out.write_all(&block).unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.flush().unwrap();
    let mut layer = File::open(folder.file(&format!("{file}.layer"))).unwrap();
    let (diff_id, size) = DiffId::of_reader(&mut layer).unwrap();
    layer.seek(SeekFrom::Start(0)).unwrap();
    let config =
        format!(r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#);
    let name = format!("{}.json", ImageId::of(config.as_bytes()).hex());
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
    let base = large_image(&folder, "v1", 1050, &[]);
    let target = large_image(&folder, "v2", 1060, &[3, 500, 1049]);
    let (package, again) = (folder.file("p.ddelta"), folder.file("again.tar"));
    docker_delta(&["create", &target, &package, "--base", &base, "-m", "xdelta3", "-l", "3"]).ok();
    let size = std::fs::metadata(&package).unwrap().len();
    // Ten megabytes are new.
    assert!((10 << 20..11 << 20).contains(&size), "{size}");
    docker_delta(&["apply", &package, "--base", &base, "-o", &again]).ok();
    assert_eq!(seen(&again), seen(&target));
}
