//! Archives that real engines wrote, each opened and compared with what is known of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use delta_core::image::{Image, ManifestKind, RebuiltImage, RebuiltManifest, VerifiedBlob, VerifiedLayer};
use delta_core::job::progress::Silent;
use delta_transport::destination::{Destination, Request};
use delta_transport::inputs::Inputs;
use delta_transport::output::Output;
use delta_transport::source::open_path;
use delta_transport::spool::TempScratch;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/samples")
}

fn open(path: &Path) -> delta_core::Result<Vec<Image>> {
    open_path(path, None, &Arc::new(TempScratch::new(None).unwrap()), &Silent)
}

fn short(digests: impl Iterator<Item = String>) -> BTreeSet<String> {
    digests.map(|digest| digest.trim_start_matches("sha256:")[..12].to_owned()).collect()
}

fn check_layers(image: &Image) {
    for layer in image.manifests.iter().flat_map(|manifest| &manifest.layers) {
        VerifiedLayer::check(layer.diff_id, layer.content.plain().unwrap(), "layer").unwrap();
        VerifiedBlob::check(layer.blob, layer.content.stored().unwrap(), "blob").unwrap();
    }
}

#[test]
fn every_sample_has_the_digests_of_the_index() {
    let index = fs::read_to_string(samples().join("INDEX.tsv")).unwrap();
    let mut seen = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (file, configs, manifests, blobs) = (columns[0], columns[5], columns[6], columns[7]);
        let path = samples().join(file);
        seen += 1;
        if blobs.contains("ABSENT") {
            refused_as_incomplete(&path);
            continue;
        }
        let images = open(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let all = || images.iter().flat_map(|image| &image.manifests);
        let ids =
            all().filter(|manifest| manifest.kind == ManifestKind::Image).map(|manifest| manifest.config.to_string());
        assert_eq!(short(ids), configs.split(',').map(str::to_owned).collect(), "{file}");
        if manifests != "-" {
            let roots = images.iter().map(|image| image.root.digest.to_string());
            assert_eq!(short(roots), manifests.split(',').map(str::to_owned).collect(), "{file}");
        }
        images.iter().for_each(check_layers);
    }
    let mut archives = Vec::new();
    collect(&samples(), &mut archives);
    assert_eq!(seen + 1, archives.len(), "all but the incomplete one have a line in INDEX.tsv");
}

#[test]
fn what_an_engine_saved_without_its_layers_is_refused() {
    refused_as_incomplete(&samples().join("special/docker28-containerd-INCOMPLETE-save.tar"));
}

fn refused_as_incomplete(path: &Path) {
    let error = open(path).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), delta_core::Kind::Content, "{path:?}");
    assert!(error.to_string().contains("it is incomplete") && error.hint().is_some(), "{path:?}: {error}");
}

fn collect(folder: &Path, archives: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, archives);
        } else if path.extension().is_some_and(|extension| extension == "tar") {
            archives.push(path);
        }
    }
}

#[test]
fn sources_without_a_manifest_get_the_one_of_docker_25() {
    for (file, expected) in [("v1", "34f9fde59bf5"), ("v2", "c1e7ca9e7a0f")] {
        for engine in ["docker20-classic", "podman4-docker-archive", "docker28-classic"] {
            let images = open(&samples().join(format!("tiny/{engine}/{file}.tar"))).unwrap();
            assert_eq!(images[0].root.digest.short(), expected, "{engine}");
            assert_eq!(images[0].root.synthesised, engine != "docker28-classic");
            assert_eq!(images[0].names.len(), 1, "{engine}");
        }
    }
}

#[test]
fn folders_are_images_too() {
    let layout = open(&samples().join("tiny/skopeo-oci-dir/layout")).unwrap();
    assert_eq!(layout.len(), 2);
    let zstd = open(&samples().join("tiny/skopeo-oci-dir/layout-zstd")).unwrap();
    for (version, config) in [("v1", "f8ee4128d65a"), ("v2", "bc7159e1ebfb")] {
        let images = open(&samples().join("tiny/skopeo-dir").join(version)).unwrap();
        assert_eq!(images[0].manifests[0].config.short(), config);
        images.iter().chain(&layout).chain(&zstd).for_each(check_layers);
    }
}

#[test]
fn one_image_of_several_is_picked_by_its_name_or_tag() {
    let scratch = Arc::new(TempScratch::new(None).unwrap());
    let several = samples().join("tiny/docker28-classic/v1+v2+tag.tar");
    let names: BTreeSet<String> =
        open(&several).unwrap().iter().flat_map(|image| &image.names).map(ToString::to_string).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in &names {
        assert_eq!(open_path(&several, Some(name), &scratch, &Silent).unwrap().len(), 1);
    }
    assert_eq!(
        open_path(&samples().join("tiny/skopeo-oci-dir/layout"), Some("v2"), &scratch, &Silent).unwrap().len(),
        1
    );
    let error = open_path(&several, Some("other:v9"), &scratch, &Silent).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("`other:v9`") && names.iter().all(|name| error.contains(name)), "{error}");
}

/// The image as apply would hand it to a sink.
fn rebuilt(image: &Image) -> RebuiltImage {
    let manifest = |manifest: &delta_core::image::Manifest| RebuiltManifest {
        digest: manifest.digest,
        config: manifest.config,
        kind: manifest.kind,
        platform: manifest.platform.clone(),
        layers: manifest.layers.iter().map(|layer| (layer.diff_id, layer.blob)).collect(),
    };
    let layers = image.manifests.iter().flat_map(|manifest| &manifest.layers);
    let blobs: BTreeMap<_, _> = layers
        .map(|layer| (layer.blob, VerifiedBlob::check(layer.blob, layer.content.stored().unwrap(), "blob").unwrap()))
        .collect();
    RebuiltImage {
        names: image.names.clone(),
        root: image.root.clone(),
        documents: image.documents.clone(),
        manifests: image.manifests.iter().map(manifest).collect(),
        blobs,
        layout_index: None,
    }
}

#[test]
fn what_is_written_opens_as_the_same_image_and_skopeo_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    for engine in
        ["docker20-classic", "docker28-containerd-pulled", "docker28-containerd-buildkit", "podman58-oci-archive"]
    {
        let images = open(&samples().join(format!("tiny/{engine}/v1.tar"))).unwrap();
        let (archive, layout) =
            (folder.path().join(format!("{engine}.tar")), folder.path().join(format!("{engine}.d")));
        for output in [Output::Archive(archive.clone()), Output::Layout(layout.clone())] {
            let mut rebuilt: Vec<RebuiltImage> = images.iter().map(rebuilt).collect();
            let made = rebuilt.iter().flat_map(|image| image.blobs.clone()).collect::<BTreeMap<_, _>>();
            let (product, path, inputs) = (output.product(), output.path(), Inputs::default());
            let request = Request { product, path, name: None, force: false, inputs: &inputs };
            let destination = Destination::choose(request).unwrap();
            let scratch = TempScratch::new(None).unwrap();
            output.write(&mut rebuilt, None, &destination, (&scratch, &Silent), |_| Ok(made)).unwrap();
            let written = open(output.path()).unwrap();
            written.iter().for_each(check_layers);
            assert_eq!(written[0].root.digest, images[0].root.digest, "{engine}");
            assert_eq!(written[0].documents, images[0].documents, "{engine}");
            assert_eq!(written[0].names, images[0].names, "{engine}");
        }
        skopeo(&["inspect", "--raw", &format!("oci-archive:{}", archive.display())]);
        skopeo(&[
            "copy",
            &format!("docker-archive:{}", archive.display()),
            &format!("dir:{}", folder.path().join("copy").display()),
        ]);
        skopeo(&[
            "copy",
            &format!("oci:{}", layout.display()),
            &format!("dir:{}", folder.path().join("copy").display()),
        ]);
    }
}

fn skopeo(arguments: &[&str]) {
    let done = Command::new("skopeo").args(["--insecure-policy"]).args(arguments).output();
    let done = done.unwrap_or_else(|error| panic!("`skopeo` of the Debian package `skopeo` does not run: {error}"));
    assert!(done.status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn damage_in_an_archive_is_an_error_or_found_by_a_digest_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(samples().join("tiny/docker28-containerd-pulled/v1.tar")).unwrap();
    let path = folder.path().join("damaged.tar");
    for at in (0..whole.len()).step_by(331) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(&path, &damaged).unwrap();
        let _ = open(&path).map(|images| images.len());
        fs::write(&path, &whole[..at]).unwrap();
        let _ = open(&path).map(|images| images.len());
    }
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, b"text").unwrap();
    let error = open(&path).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("no archive") || error.to_string().contains("no image"), "{error}");
    let error = open(&folder.path().join("missing.tar")).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), delta_core::Kind::Environment);
    assert!(error.to_string().contains("missing.tar"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = open(folder.path()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("neither manifest.json nor index.json"), "{error}");
}
