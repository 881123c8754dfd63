//! The reader in `tools/reader`, which was written from FORMAT.md alone, reads what this crate writes, and refuses what it refuses.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use common::golden::{accepted, base_files, bases, targets};
use common::{noise, options, packed};
use delta_codec::compress::Compression;

use delta_core::create::CreateOptions;
use delta_core::job::choices::{CompressionOptions, Method};
use delta_core::layer::tar_index::{Entry, entries};

/// Debian's interpreter, for which `scripts/install-test-tools` installs the module `zstandard`.
const PYTHON: &str = "/usr/bin/python3";

/// What the reader ends with when it refuses a package, and when it lacks what the package needs.
const REFUSED: i32 = 4;
const UNSUPPORTED: i32 = 3;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs Python in the folder of the reader; it must be there, and so must its module.
fn python(arguments: &[&Path]) -> Output {
    static CHECKED: Once = Once::new();
    let run = |arguments: &[&Path]| {
        Command::new(PYTHON).current_dir(repository().join("tools/reader")).arg("-B").args(arguments).output()
    };
    CHECKED.call_once(|| {
        let has_module = run(&["-c", "import zstandard"].map(Path::new)).is_ok_and(|output| output.status.success());
        assert!(has_module, "{PYTHON} or its module zstandard is missing; scripts/install-test-tools installs them");
    });
    run(arguments).unwrap()
}

/// What the reader says of the package in `file`, and the code that it ends with.
fn read(file: &Path, bases: &Path) -> (i32, String) {
    let output = python(&[Path::new("."), file, bases]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or_else(|| panic!("{}: {said}", file.display())), said)
}

fn packages(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("testdata/golden/v1").join(folder)).unwrap();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.into_iter().filter(|path| !path.ends_with("INDEX.tsv")).collect()
}

fn bases_folder() -> PathBuf {
    repository().join("testdata/golden/v1/bases")
}

/// Accepts the package, or says that it has an encoder, which the reader names and does not run.
fn assert_accepted(what: &str, (code, said): (i32, String)) -> bool {
    let named = ["is not supported by this reader"];
    let unsupported = code == UNSUPPORTED && named.iter().any(|name| said.contains(name));
    assert!(code == 0 || unsupported, "{what}: {said}");
    code == 0
}

#[test]
fn the_reader_passes_its_own_tests() {
    let output = python(&["-m", "unittest", "discover", "-s", "tests"].map(Path::new));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Prints for each layer of a file, behind its length, where its entries start, and their contents, paddings and ends.
const ENTRIES: &str = "
import sys
from layers.entries import entries
layers = open(sys.argv[1], 'rb')
while length := layers.read(4):
    layer = layers.read(int.from_bytes(length, 'little'))
    print([(entry.start, entry.content, entry.padding, entry.end) for entry in entries(layer)])
";

#[test]
fn odd_layers_have_the_same_entries() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("layers");
    let layers: Vec<Vec<u8>> = (0..600).map(odd_layer).collect();
    let with_length = |layer: &Vec<u8>| [&u32::try_from(layer.len()).unwrap().to_le_bytes()[..], layer].concat();
    fs::write(&file, layers.iter().flat_map(with_length).collect::<Vec<u8>>()).unwrap();
    let output = python(&[Path::new("-c"), Path::new(ENTRIES), &file]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), layers.len());
    for ((number, layer), said) in layers.iter().enumerate().zip(said.lines()) {
        let found = entries(layer).unwrap();
        let row = |entry: &Entry| (entry.start, entry.content(), entry.content() + entry.length, entry.end());
        assert_eq!(format!("{:?}", found.iter().map(row).collect::<Vec<_>>()), said, "layer {number}");
    }
}

/// A tar stream that nobody would write, from a number: headers of all types, records and spans, whole or cut.
fn odd_layer(number: u64) -> Vec<u8> {
    let mut random = noise(number, 4_000).into_iter();
    let mut roll = move |sides: u8| random.next().unwrap() % sides;
    let texts: [&[u8]; 12] = [
        b"12 size=700\n",
        b"9 size=5\n",
        b"9 a=bcde\n12 size=700\n",
        b"12 size=700\n9 size=\n",
        b"8 asize\n12 size=700\n",
        b"12 size=700 ",
        b"13 size=+700\n",
        b"+13 size=700\n",
        b"00000000000000000030 size=700\n",
        b"29 size=18446744073709551616\n",
        b"3 \n12 size=700\n",
        b"11 path=a/b\n",
    ];
    let sizes: [&[u8; 12]; 12] = [
        b"00000000000\0",
        b"00000000005\0",
        b"       1130 ",
        b"000000001000",
        b"\x80\0\0\0\0\0\0\0\0\0\x02\x58",
        b"\x80\0\0\x01\0\0\0\0\0\0\x02\x58",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"            ",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\t      1130 ",
        b"00000008000\0",
        b"77777777777\0",
    ];
    let mut layer = Vec::new();
    for _ in 0..=roll(9) {
        let mut block = vec![0; 512];
        block[156] = b"00000xxxxLKS15g\0"[usize::from(roll(16))];
        block[124..136].copy_from_slice(sizes[usize::from(roll(12))]);
        block[482] = roll(2);
        let text = if block[156] == b'x' { texts[usize::from(roll(12))] } else { b"" };
        if block[156] == b'x' {
            block[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        let blank = [" ", " ", "\t"][usize::from(roll(3))];
        let field = match roll(4) {
            0 => format!("{sum:07o}\0"),
            1 => format!("{blank}{sum:6o} "),
            2 => format!("{sum:08o}"),
            _ => format!("{sum:06o}\0 "),
        };
        block[148..156].copy_from_slice(field.as_bytes());
        layer.extend(block);
        layer.extend(text);
        match roll(4) {
            0 => layer.extend(noise(u64::from(roll(255)), 600)),
            1 => layer.extend(vec![roll(2); 512 * usize::from(roll(4))]),
            _ => {}
        }
        if roll(6) > 0 {
            layer.resize(layer.len().next_multiple_of(512), 0);
        }
    }
    if roll(3) == 0 {
        layer.truncate(layer.len() - usize::from(roll(255)));
    }
    layer
}

#[test]
fn every_golden_package_is_accepted() {
    let packages = packages("accept");
    let is_of_an_encoder = |file: &&PathBuf| file.file_name().unwrap().to_string_lossy().starts_with("blobs-");
    let refused =
        packages.iter().filter(|file| !assert_accepted(&file.display().to_string(), read(file, &bases_folder())));
    let refused: Vec<_> = refused.filter(|file| !is_of_an_encoder(file)).collect();
    assert!(refused.len() <= 1, "one package has encoders inside of a layer: {refused:?}");
}

#[test]
fn every_rejected_package_is_refused() {
    for file in packages("reject") {
        let (code, said) = read(&file, &bases_folder());
        assert_eq!(code, REFUSED, "{}: {said}", file.display());
        assert!(!said.contains("Traceback"), "{said}");
    }
}

#[test]
fn packages_of_every_method_and_compression_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, file) = (folder.path().join("bases"), folder.path().join("package"));
    fs::create_dir(&receiver).unwrap();
    base_files().iter().for_each(|(name, bytes)| fs::write(receiver.join(name), bytes).unwrap());
    for method in Method::ALL {
        for compression in Compression::ALL {
            let compression = CompressionOptions { recompress: false, ..CompressionOptions::usual(compression) };
            let chosen = CreateOptions { compression, ..options(method) };
            fs::write(&file, packed(&targets(), &bases(), &chosen)).unwrap();
            let what = format!("{method} with {}", chosen.compression.compressor);
            assert!(assert_accepted(&what, read(&file, &receiver)), "{what}");
        }
    }
}

#[test]
fn packages_made_like_the_golden_ones_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, file) = (folder.path().join("bases"), folder.path().join("package"));
    fs::create_dir(&receiver).unwrap();
    base_files().iter().for_each(|(name, bytes)| fs::write(receiver.join(name), bytes).unwrap());
    for (name, package) in accepted() {
        fs::write(&file, package).unwrap();
        assert_accepted(&name, read(&file, &receiver));
    }
}
