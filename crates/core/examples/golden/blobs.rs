//! Packages of layers that real programs compressed, one for each family of encoders, and the same with settings that none has.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use delta_codec::compress::Compression;
use delta_core::image::BlobCompression;
use delta_core::job::choices::Method;
use serde_json::{Value, json};

use crate::common::{compressed, edited, encoded, image, image_of, options, packed};

/// A way of `blobs.py`, the feature that its package requires, and which byte of the settings is set to what no encoder has.
const WAYS: [(&str, BlobCompression, &str, (usize, u8)); 11] = [
    ("go", BlobCompression::Gzip, "gzip-go-1", (0, 10)),
    ("go-checkpoints", BlobCompression::Gzip, "gzip-go-2", (0, 3)),
    ("pgzip", BlobCompression::Gzip, "gzip-modern-1", (1, 2)),
    ("klauspost", BlobCompression::Gzip, "gzip-modern-2", (0, 6)),
    ("gnu", BlobCompression::Gzip, "gzip-gnu-1", (0, 10)),
    ("busybox", BlobCompression::Gzip, "gzip-gnu-1", (0, 32)),
    ("pigz", BlobCompression::Gzip, "gzip-pigz-1", (0, 0)),
    ("klauspost-zstd", BlobCompression::Zstd, "zstd-klauspost-1", (0, 9)),
    ("klauspost-zstd-best", BlobCompression::Zstd, "zstd-klauspost-2", (0, 2)),
    ("libzstd", BlobCompression::Zstd, "zstd-libzstd-1", (0, 20)),
    ("zlib", BlobCompression::Gzip, "gzip-zlib-1", (0, 15)),
];

/// Named files with a further column.
type Files = Vec<(String, String, Vec<u8>)>;

/// The base, packages to accept, and packages to refuse.
pub(crate) struct Blobs {
    pub(crate) base: Vec<u8>,
    pub(crate) accepted: Files,
    pub(crate) rejected: Files,
}

/// Makes those of which the folder of packages to refuse has none.
pub(crate) fn blobs(there: &Path) -> Blobs {
    let [base, target] = ["1", "2"].map(|version| script(&["layer", version], &[]));
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    let is_new =
        |(name, ..): &(&str, BlobCompression, &str, (usize, u8))| !there.join(format!("blobs-{name}.ddelta")).exists();
    for (name, compression, feature, (at, byte)) in WAYS.into_iter().filter(is_new) {
        let layer = match name {
            "zlib" => crate::common::zlib(&target, 6),
            _ => encoded(&target, &script(&[name], &target), compression),
        };
        let (before, after) = (image("book:v1", &[&base]), image_of("book:v2", vec![layer]));
        let package = packed(&[after], &[before], &options(Method::Auto));
        let wrong = edited(&package, |metadata| {
            let requires: Vec<&str> =
                metadata["requires"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(requires.contains(&feature), "{name}: {requires:?}");
            let place = &mut metadata["blobs"][0]["recreated"]["plan"];
            *place = json!(with_settings(place.as_str().unwrap(), at, byte));
        });
        accepted.push((format!("blobs-{name}.ddelta"), package));
        rejected.push((format!("blobs-{name}.ddelta"), "is damaged at byte".to_owned(), wrong));
    }
    // zlib has a package of its own already.
    accepted.retain(|(name, _)| name != "blobs-zlib.ddelta");
    let requires = |package: &[u8]| crate::common::golden::features(&crate::common::open(package).unwrap());
    let accepted = accepted.into_iter().map(|(name, package)| (name, requires(&package), package)).collect();
    Blobs { base: compressed(&base, Compression::Zstd), accepted, rejected }
}

/// A plan, which starts with a kept header or with the stream, with another byte in the settings of its stream.
fn with_settings(plan: &str, at: usize, byte: u8) -> String {
    let digits: Vec<&str> = (0..plan.len()).step_by(2).map(|at| &plan[at..at + 2]).collect();
    let kept = if digits[0] == "00" { 3 + usize::from_str_radix(digits[1], 16).unwrap() } else { 0 };
    let mut digits: Vec<String> = digits.into_iter().map(str::to_owned).collect();
    digits[kept + 2 + at] = format!("{byte:02x}");
    digits.concat()
}

/// What `blobs.py` beside this file writes.
fn script(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/golden/blobs.py");
    let mut command = Command::new("/usr/bin/python3");
    let mut child = command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}
