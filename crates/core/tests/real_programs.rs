//! What is in a package can be taken out of it by the programs that FORMAT.md names, without ours.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{bytes, image, layers, noise, open, options, packed};
use delta_core::image::Image;
use delta_core::job::choices::Method;
use delta_core::package::metadata::Origin;

/// Runs a shell command in `folder`; the programs that it names must be installed.
fn shell(folder: &Path, command: &str) {
    let output = Command::new("sh").arg("-ec").arg(command).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{command}` failed; are its programs installed? {said}");
}

/// A base and a target whose one layer is made of two layers of the base.
fn pair() -> (Image, Image) {
    let (one, two) = (noise(1, 60_000), noise(2, 60_000));
    let joined = [&two[..50_000], b"something else", &one[10_000..]].concat();
    (image("app:v1", &[&one, &two]), image("app:v2", &[&joined]))
}

/// Unpacks a package with tar, lays the joined bases beside its members, and lets `command` make `layer` out of `$1` and the
/// file `bases`.
fn rebuild_with(method: Method, command: &str) {
    let (base, target) = pair();
    let package = packed(std::slice::from_ref(&target), std::slice::from_ref(&base), &options(method));
    let opened = open(&package).unwrap();
    let Origin::Coded { bases, members, .. } = &opened.metadata().layers[0].origin else { panic!("expected members") };
    assert_eq!(bases.len(), 2);
    let all = layers(&[base]);
    let plain = |diff_id| all.iter().find(|layer| layer.diff_id == diff_id).unwrap().content.plain().unwrap();
    let joined: Vec<u8> = bases.iter().flat_map(|diff_id| bytes(&plain(*diff_id))).collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.ddelta"), package).unwrap();
    fs::write(folder.path().join("bases"), joined).unwrap();
    shell(folder.path(), &format!("tar -xf app.ddelta; set -- {}; {command}", members[0]));
    let expected = bytes(&target.manifests[0].layers[0].content.plain().unwrap());
    assert!(fs::read(folder.path().join("layer")).unwrap() == expected);
}

#[test]
fn xdelta3_decodes_a_layer() {
    rebuild_with(Method::Xdelta3, "zstd -d < $1 | xdelta3 -d -s bases > layer");
}

#[test]
fn bspatch_decodes_a_layer() {
    rebuild_with(Method::Bsdiff, "bspatch bases layer $1");
}

#[test]
fn tar_and_sha256sum_find_the_members_whole() {
    let (base, target) = pair();
    let package = packed(&[target], &[base], &options(Method::Layer));
    let opened = open(&package).unwrap();
    let sums: String =
        opened.metadata().members.iter().map(|member| format!("{}  {}\n", member.digest.hex(), member.name)).collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.ddelta"), &package).unwrap();
    fs::write(folder.path().join("sums"), sums).unwrap();
    shell(folder.path(), "tar -xf app.ddelta; sha256sum --check --strict sums");
    let closing = "head -c $(sed 's/.*\"bytes\":\\([0-9]*\\).*/\\1/' closing.json) app.ddelta | sha256sum | cut -c-64 > found; \
                   grep -q \"sha256:$(cat found)\" closing.json";
    shell(folder.path(), closing);
}
