//! A registry for tests that keeps what it gets, as a sound one does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use delta_core::digest::BlobDigest;

use super::address::Address;
use super::scripted::{Asked, Reply, Server};

/// What a registry keeps, by repository and name.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) blobs: BTreeMap<(String, String), Vec<u8>>,
    pub(super) manifests: BTreeMap<(String, String), Vec<u8>>,
}

/// A registry that keeps what it gets, where others see it, but for what `refuses` answers instead.
pub(super) struct Registry {
    pub(super) server: Server,
    pub(super) kept: Arc<Mutex<Kept>>,
}

impl Registry {
    pub(super) fn start(refuses: impl Fn(&Asked) -> Option<Reply> + Send + 'static) -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let its = kept.clone();
        let server =
            Server::start(move |asked| refuses(asked).unwrap_or_else(|| keep(asked, &mut its.lock().unwrap())));
        Self { server, kept }
    }

    pub(super) fn sound() -> Self {
        Self::start(|_| None)
    }

    pub(super) fn address(&self, rest: &str) -> Address {
        format!("docker://{}/{rest}", self.server.host()).parse().unwrap()
    }

    pub(super) fn put_blob(&self, repository: &str, bytes: &[u8]) {
        let key = (repository.to_owned(), BlobDigest::of(bytes).to_string());
        self.kept.lock().unwrap().blobs.insert(key, bytes.to_vec());
    }

    /// The manifest under a tag or digest of the repository `app`.
    pub(super) fn manifest(&self, name: &dyn fmt::Display) -> Option<Vec<u8>> {
        self.kept.lock().unwrap().manifests.get(&("app".to_owned(), name.to_string())).cloned()
    }

    /// What was written, in its order: `blob` for each, and the names of manifests.
    pub(super) fn written(&self) -> Vec<String> {
        let writes = self.server.asked().into_iter().filter(|asked| asked.method == "PUT");
        let name = |asked: Asked| asked.path.split_once("/manifests/").map(|(_, name)| name.to_owned());
        writes.map(|asked| name(asked).unwrap_or_else(|| "blob".to_owned())).collect()
    }
}

fn keep(asked: &Asked, kept: &mut Kept) -> Reply {
    let path = asked.path.strip_prefix("/v2/").unwrap();
    if let Some((repository, rest)) = path.split_once("/blobs/uploads/") {
        return upload(asked, kept, repository, rest);
    }
    let (is_blob, (repository, name)) = match path.split_once("/blobs/") {
        Some(parts) => (true, parts),
        None => (false, path.split_once("/manifests/").unwrap_or((path, ""))),
    };
    let key = (repository.to_owned(), name.to_owned());
    if asked.method == "PUT" {
        let digest = BlobDigest::of(&asked.body).to_string();
        for name in [name.to_owned(), digest] {
            kept.manifests.insert((repository.to_owned(), name), asked.body.clone());
        }
        return Reply::new(201, "OCI-Subject: listed\n", "");
    }
    match if is_blob { kept.blobs.get(&key) } else { kept.manifests.get(&key) } {
        Some(bytes) if asked.method == "HEAD" => Reply::with_length(200, "", b"", bytes.len()),
        Some(bytes) => Reply::new(200, "", bytes),
        None => Reply::new(404, "", ""),
    }
}

fn upload(asked: &Asked, kept: &mut Kept, repository: &str, rest: &str) -> Reply {
    let to = |digest: &str| (repository.to_owned(), digest.to_owned());
    if let Some((digest, from)) = rest.strip_prefix("?mount=").and_then(|rest| rest.split_once("&from=")) {
        return match kept.blobs.get(&(from.to_owned(), digest.to_owned())).cloned() {
            Some(bytes) => {
                kept.blobs.insert(to(digest), bytes);
                Reply::new(201, "", "")
            }
            None => Reply::new(202, "", ""),
        };
    }
    match asked.method.as_str() {
        "POST" => Reply::new(202, &format!("Location: /v2/{repository}/blobs/uploads/1\n"), ""),
        _ => {
            let digest = rest.split_once("digest=").unwrap().1;
            assert_eq!(BlobDigest::of(&asked.body).to_string(), digest);
            kept.blobs.insert(to(digest), asked.body.clone());
            Reply::new(201, "", "")
        }
    }
}
