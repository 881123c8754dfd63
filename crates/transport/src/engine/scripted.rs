//! Engines for tests that answer as they are told: also with what no sound engine says. Real engines are tested with the programs.

use delta_core::digest::{BlobDigest, DiffId};
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
