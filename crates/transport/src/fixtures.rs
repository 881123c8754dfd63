//! What tests of several modules are built from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use delta_codec::compress::{Compression, Encoder};
use delta_codec::{ReadAt, Reader};
use delta_core::digest::DiffId;
use delta_core::error::{Error, Kind};
use delta_core::image::documents::{OCI_MANIFEST, config_digest};
use delta_core::image::{Document, ManifestKind, RebuiltImage, RebuiltManifest, Root};
use delta_core::job::progress::{Progress, Silent, Task};
use serde_json::{Value, json};

use crate::container::Container;
use crate::spool::TempScratch;

/// A document of this JSON.
pub(crate) fn document(value: &Value) -> Document {
    Document::new(value.to_string().into_bytes())
}

/// An image of these layers, each its own bytes, as it comes out of a package; still without blobs.
pub(crate) fn rebuilt(names: &[&str], layers: &[&[u8]]) -> RebuiltImage {
    let diff_ids: Vec<DiffId> = layers.iter().map(|bytes| DiffId::of(bytes)).collect();
    let digests: Vec<String> = diff_ids.iter().map(ToString::to_string).collect();
    let config =
        document(&json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": digests}}));
    let layer = |(bytes, digest): (&&[u8], &String)| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": bytes.len()});
    let manifest = document(&json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config.digest().to_string(), "size": config.bytes().len(),
        },
        "layers": layers.iter().zip(&digests).map(layer).collect::<Vec<_>>(),
    }));
    let travelling = RebuiltManifest {
        digest: manifest.digest(),
        config: config_digest(&config),
        kind: ManifestKind::Image,
        platform: None,
        layers: diff_ids.iter().map(|diff_id| (*diff_id, (*diff_id).into())).collect(),
    };
    RebuiltImage {
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        root: Root::of(&manifest, OCI_MANIFEST.to_owned()),
        documents: [config, manifest].into_iter().map(|document| (document.digest(), document)).collect(),
        manifests: vec![travelling],
        blobs: BTreeMap::new(),
        layout_index: None,
    }
}

/// Files by their names, as an archive or a folder holds them.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn scratch() -> Arc<TempScratch> {
    Arc::new(TempScratch::new(None).unwrap())
}

/// Bytes without a pattern (Knuth's generator for 64 bits).
pub(crate) fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

pub(crate) fn all(bytes: &dyn ReadAt) -> Vec<u8> {
    let mut held = Vec::new();
    std::io::copy(&mut Reader::new(bytes), &mut held).unwrap();
    held
}

pub(crate) fn compressed(bytes: &[u8], compression: Compression) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), compression, compression.default_level(), None).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A tar of these files.
pub(crate) fn tar_of(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(crate) fn archive_of(files: &Files) -> Container {
    Container::archive(Arc::new(tar_of(files)), "test.tar").unwrap()
}

/// Writes files into a folder, with all folders on the way.
pub(crate) fn write_into(folder: &Path, files: &Files) {
    for (name, bytes) in files {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// It failed for this reason, in words that have all of these in them.
#[track_caller]
pub(crate) fn is_refused<T>(result: Result<T, Error>, kind: Kind, words: &[&str]) {
    let Err(error) = result else { panic!("it was taken, where `{words:?}` should be said") };
    assert!(words.iter().all(|word| error.to_string().contains(word)), "expected `{words:?}`: {error}");
    assert_eq!(error.kind(), kind, "{error}");
}

/// Keeps what a user is told, and which pieces of work begin.
#[derive(Default)]
pub(crate) struct Told {
    told: Mutex<Vec<String>>,
    begun: Mutex<Vec<String>>,
}

impl Told {
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    pub(crate) fn begun(&self) -> Vec<String> {
        std::mem::take(&mut *self.begun.lock().unwrap())
    }
}

impl Progress for Told {
    fn begin(&self, what: &str, _: Option<u64>) -> Box<dyn Task> {
        self.begun.lock().unwrap().push(what.to_owned());
        Box::new(Silent)
    }

    fn inform(&self, message: fmt::Arguments<'_>) {
        self.told.lock().unwrap().push(message.to_string());
    }

    fn detail(&self, _: fmt::Arguments<'_>) {}
}
