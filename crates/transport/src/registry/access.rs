//! What the user says about registries, and the registries that a run speaks with.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use delta_core::digest::BlobDigest;
use delta_core::error::Result;
use delta_core::image::Image;
use delta_core::job::progress::Progress;

use super::address::Address;
use super::connection::Connection;
use super::downloads::Downloads;
use super::remote;
use crate::file_system;
use crate::spool::TempScratch;

/// How registries are reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// Files with credentials, in the form of Docker and podman; the first that has some for a registry counts.
    pub credentials: Vec<PathBuf>,
    /// A file with certificates (PEM) that are trusted besides the system's.
    pub tls_ca: Option<PathBuf>,
    /// Whether every registry is spoken with without TLS.
    pub plain_http: bool,
    /// How long a registry may say nothing.
    pub patience: Duration,
    /// Where downloads wait that were broken off; without it, nothing of them is kept.
    pub downloads: Option<PathBuf>,
}

impl Access {
    /// How long a registry may say nothing, usually: object stores take their time to check a large upload.
    pub const USUAL_PATIENCE: Duration = Duration::from_secs(60);
}

/// Whether what hangs on an image (signatures, bills of materials) comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referrers {
    /// It comes.
    Taken,
    /// It stays.
    Left,
}

/// The registries of a run: each is asked for its tokens once.
pub struct Registries {
    access: Access,
    progress: Arc<dyn Progress>,
    downloads: Arc<Downloads>,
    connections: Mutex<BTreeMap<String, Arc<Connection>>>,
}

impl Registries {
    /// Speaks with nobody yet; `progress` hears of every blob that comes and goes.
    pub fn new(access: Access, progress: Arc<dyn Progress>) -> Self {
        let downloads = Arc::new(Downloads::new(access.downloads.clone()));
        Self { access, progress, downloads, connections: Mutex::default() }
    }

    /// Opens an image, and what hangs on it if that is wanted: documents are fetched, layers when they are read.
    ///
    /// # Errors
    /// Environment errors that name the registry and what to do; content errors when it gives other bytes than it should.
    pub fn open(&self, address: &Address, referrers: Referrers, scratch: &Arc<TempScratch>) -> Result<Vec<Image>> {
        let repository = self.repository(address)?;
        let image = remote::open(&repository, address, scratch)?;
        let beside = match referrers {
            Referrers::Left => Vec::new(),
            Referrers::Taken => remote::companions(&repository, address, &image, scratch)?,
        };
        Ok([image].into_iter().chain(beside).collect())
    }

    /// The bytes of layers that were fetched.
    pub fn fetched_bytes(&self) -> u64 {
        self.downloads.bytes()
    }

    /// Fails when there is no room for these blobs with their sizes, which will be fetched, and for so many bytes of temporary files.
    ///
    /// # Errors
    /// An environment error with both figures.
    pub fn require_room(
        &self,
        blobs: &BTreeMap<BlobDigest, u64>,
        scratch: &TempScratch,
        (temporary, what): (u64, &str),
    ) -> Result<()> {
        // The folder of downloads is not left where nothing will come into it.
        self.check_room(blobs, scratch, (temporary, what)).inspect_err(|_| self.downloads.remove_used())
    }

    fn check_room(
        &self,
        blobs: &BTreeMap<BlobDigest, u64>,
        scratch: &TempScratch,
        (temporary, what): (u64, &str),
    ) -> Result<()> {
        let missing = |(digest, size): (&BlobDigest, &u64)| size.saturating_sub(self.downloads.kept_bytes(*digest));
        let fetched: u64 = blobs.iter().map(missing).sum();
        if fetched == 0 {
            return file_system::require(scratch.folder(), temporary, what);
        }
        let folder = self.downloads.folder(scratch.folder());
        if file_system::are_same(folder, scratch.folder()) {
            return file_system::require(folder, fetched + temporary, &format!("fetching layers and {what}"));
        }
        file_system::require(folder, fetched, "fetching layers")?;
        file_system::require(scratch.folder(), temporary, what)
    }

    /// Removes what was kept of this run's downloads in case that it would be broken off.
    pub fn finish(&self) {
        self.downloads.remove_used();
    }

    /// Whether the registry of an address is spoken with without TLS.
    ///
    /// # Errors
    /// Environment errors when it cannot be spoken with.
    pub fn is_plain(&self, address: &Address) -> Result<bool> {
        Ok(self.repository(address)?.connection.base()?.starts_with("http://"))
    }

    /// The repository of an address.
    pub(super) fn repository(&self, address: &Address) -> Result<Repository> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match connections.get(address.registry()) {
            Some(connection) => connection.clone(),
            None => {
                let connection = Arc::new(Connection::new(address.registry(), &self.access)?);
                connections.insert(address.registry().to_owned(), connection.clone());
                connection
            }
        };
        let (name, downloads) = (address.repository().to_owned(), self.downloads.clone());
        Ok(Repository { connection, name, downloads, progress: self.progress.clone() })
    }
}

/// A repository of a registry.
#[derive(Clone)]
pub(super) struct Repository {
    /// The registry.
    pub(super) connection: Arc<Connection>,
    /// Its path there.
    pub(super) name: String,
    /// Where its blobs are put.
    pub(super) downloads: Arc<Downloads>,
    /// Who hears of its blobs.
    pub(super) progress: Arc<dyn Progress>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.label())
    }
}

impl Repository {
    /// The URL of something in it.
    pub(super) fn url(&self, rest: &str) -> Result<String> {
        Ok(format!("{}/v2/{}/{rest}", self.connection.base()?, self.name))
    }

    /// How to speak of it.
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.connection.registry(), self.name)
    }

    /// Whether another one is in the same registry.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.connection.registry() == other.connection.registry() && self.name != other.name
    }

    /// What a token must allow for writing.
    pub(super) fn push(&self) -> Vec<String> {
        vec![format!("repository:{}:pull,push", self.name)]
    }

    /// What a token must allow for reading.
    pub(super) fn pull(&self) -> Vec<String> {
        vec![format!("repository:{}:pull", self.name)]
    }
}

#[cfg(test)]
mod tests {
    use delta_core::error::Kind;
    use delta_core::job::progress::Silent;

    use super::*;
    use crate::registry::scripted::{access, scratch};
    use crate::system;

    /// More than any disk has.
    const TOO_MUCH: u64 = 1 << 60;

    fn room(access: Access, blobs: &[(BlobDigest, u64)], temporary: u64) -> Result<()> {
        let registries = Registries::new(access, Arc::new(Silent));
        registries.require_room(&blobs.iter().copied().collect(), &scratch(), (temporary, "rebuilding"))
    }

    #[test]
    fn room_is_asked_for_what_will_be_fetched_and_for_what_is_made_of_it() {
        let [one, other] = [b"one", b"two"].map(|bytes| BlobDigest::of(bytes));
        for (blobs, temporary, told) in [
            (&[][..], 0, None),
            (&[(one, 10)][..], 10, None),
            (&[], TOO_MUCH, Some("rebuilding needs ")),
            (&[(one, TOO_MUCH)], 0, Some("fetching layers and rebuilding needs ")),
            (&[(one, TOO_MUCH / 2), (other, TOO_MUCH / 2)], 0, Some("fetching layers and rebuilding needs ")),
            (&[(one, 10)], TOO_MUCH, Some("fetching layers and rebuilding needs ")),
        ] {
            match (room(access(), blobs, temporary), told) {
                (Ok(()), None) => {}
                (Err(error), Some(told)) => {
                    assert!(error.to_string().starts_with(told), "{error}");
                    assert_eq!((error.kind(), error.hint().is_some()), (Kind::Environment, true));
                }
                (found, told) => panic!("{found:?} {told:?}"),
            }
        }
    }

    #[test]
    fn what_an_earlier_run_left_needs_no_room_again_and_no_empty_folder_stays() {
        let folder = tempfile::tempdir().unwrap();
        let downloads = folder.path().join("downloads");
        let access = Access { downloads: Some(downloads.clone()), ..access() };
        let digest = BlobDigest::of(b"one");
        assert!(room(access.clone(), &[(digest, TOO_MUCH)], 0).is_err());
        assert!(!downloads.exists(), "nothing will come into it");
        system::make_private_folder(&downloads).unwrap();
        let file = std::fs::File::create(downloads.join(digest.hex())).unwrap();
        file.set_len(1 << 40).unwrap();
        room(access.clone(), &[(digest, 1 << 40)], 0).unwrap();
        assert!(room(access, &[(digest, TOO_MUCH)], 0).is_err());
        assert!(downloads.join(digest.hex()).exists());
    }

    #[test]
    fn repositories_of_one_registry_are_beside_each_other() {
        let registries = Registries::new(access(), Arc::new(Silent));
        let of = |text: &str| registries.repository(&text.parse().unwrap()).unwrap();
        let (app, other) = (of("docker://r.example/team/app:v1"), of("docker://r.example/other"));
        assert!(app.is_beside(&other) && !app.is_beside(&of("docker://r.example/team/app:v2")));
        assert!(!app.is_beside(&of("docker://s.example/other")));
        assert_eq!((app.label(), format!("{app:?}")), ("r.example/team/app".into(), "r.example/team/app".into()));
        assert_eq!(app.url("tags").unwrap(), "http://r.example/v2/team/app/tags");
        assert_eq!(app.push(), ["repository:team/app:pull,push"]);
        assert_eq!(app.pull(), ["repository:team/app:pull"]);
        assert!(registries.is_plain(&"docker://r.example/app".parse().unwrap()).unwrap());
        // It is spoken with over one connection, whose tokens all have.
        assert!(Arc::ptr_eq(&app.connection, &other.connection));
    }
}
