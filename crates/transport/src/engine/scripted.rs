//! Engines for tests that answer as they are told: also with what no sound engine says. Real engines are tested with the programs.

use delta_core::digest::{BlobDigest, DiffId};
use delta_core::image::documents::{OCI_MANIFEST, config_digest};
use delta_core::image::{Document, ManifestKind, RebuiltImage, RebuiltManifest, Root};
use serde_json::{Value, json};

use super::client::{Client, ClientKind};
use super::{Engine, Platform, Store};
pub(super) use crate::program::scripted::Script;

impl Script {
    pub(super) fn client(&self, kind: ClientKind) -> Client {
        Client::new(kind, &[self.path("script").display().to_string()]).with_program("sh".as_ref())
    }

    /// An engine that keeps images so, and says what it has in the newest way.
    pub(super) fn engine(&self, store: Store) -> Engine {
        let kind = if store == Store::Podman { ClientKind::Podman } else { ClientKind::Docker };
        let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None };
        Engine { client: self.client(kind), store, version: "1.0".to_owned(), api: (1, 48), platform }
    }
}

/// What `docker system dial-stdio` gives for a request: this status, and this body.
pub(super) fn answer(status: &str, body: impl std::fmt::Display) -> String {
    format!("HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{body}")
}

/// What an engine says of an image.
pub(super) fn inspected(id: BlobDigest, names: &[&str], layers: &[DiffId]) -> Value {
    let layers: Vec<String> = layers.iter().map(ToString::to_string).collect();
    json!({"Id": id.to_string(), "RepoTags": names, "RootFS": {"Type": "layers", "Layers": layers}, "Size": 7})
}

fn document(value: &Value) -> Document {
    Document::new(value.to_string().into_bytes())
}

/// An image of these layers, each its own bytes, as it comes out of a package; still without blobs.
pub(super) fn rebuilt(names: &[&str], layers: &[&[u8]]) -> RebuiltImage {
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
        blobs: std::collections::BTreeMap::new(),
        layout_index: None,
    }
}
