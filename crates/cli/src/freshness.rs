//! Whether a package is older than what was applied here before, by what its maker signed.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;

use delta_core::error::{Error, Result};
use delta_core::job::progress::Progress;
use delta_core::package::KeyId;
use delta_envelope::trust::Standing;
use delta_transport::applied::Applied;
use delta_transport::system;

use crate::arguments::Freshness;
use crate::opening::Opened;
use crate::session::Session;

/// The numbers of a package that were checked, and are kept when it is applied.
pub(crate) struct Age {
    repositories: BTreeSet<String>,
    /// The latest by each key, which may have signed inside and beside.
    sequences: BTreeMap<KeyId, u64>,
    is_required: bool,
}

/// Fails when a later package was applied, if that was asked.
pub(crate) fn require(opened: &Opened, freshness: Freshness) -> Result<Age> {
    let names = opened.package.metadata().images.iter().flat_map(|image| &image.names);
    let trusted = opened.seal.signatures.iter().filter(|signer| signer.standing() == Standing::Trusted);
    let mut sequences = BTreeMap::new();
    for (key, sequence) in trusted.filter_map(|signer| Some((signer.key_id(), signer.sequence()?))) {
        let latest: &mut u64 = sequences.entry(key).or_default();
        *latest = sequence.max(*latest);
    }
    let repositories = names.map(|name| name.repository().to_owned()).collect();
    let age = Age { repositories, sequences, is_required: freshness.no_downgrade };
    if !age.is_required {
        return Ok(age);
    }
    if age.sequences.is_empty() {
        return Err(Error::content(
            "nobody who is trusted here signed a number by which the package could be told from older ones",
        )
        .with_hint("--trust names whose signature counts; `docker_delta sign` and `create --sign` sign a number"));
    }
    let applied = Applied::read(&folder()?)?;
    for repository in &age.repositories {
        for (key, sequence) in &age.sequences {
            applied.require_not_older(repository, *key, *sequence)?;
        }
    }
    Ok(age)
}

impl Age {
    /// Keeps that the package was applied. Nobody who did not ask is stopped by a folder that cannot be written.
    pub(crate) fn note(&self, session: &Session) -> Result<()> {
        if self.sequences.is_empty() || self.repositories.is_empty() {
            return Ok(());
        }
        match self.written() {
            Err(error) if !self.is_required => {
                session.terminal.detail(format_args!("what was applied cannot be kept for --no-downgrade: {error}"));
                Ok(())
            }
            done => done,
        }
    }

    fn written(&self) -> Result<()> {
        let mut applied = Applied::read(&folder()?)?;
        for repository in &self.repositories {
            for (key, sequence) in &self.sequences {
                applied.note(repository, *key, *sequence);
            }
        }
        applied.write()
    }
}

/// Where it is kept what was applied: with what programs of the user keep, or those of the machine (XDG Base Directory Specification).
fn folder() -> Result<PathBuf> {
    let said = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(state) = said("XDG_STATE_HOME") {
        return Ok(state.join("docker_delta"));
    }
    if system::is_root() {
        return Ok(system::KEPT_FOR_SYSTEM.into());
    }
    let kept = system::KEPT_FOR_USER.and_then(said).map(|kept| kept.join("docker_delta"));
    kept.or_else(|| Some(said(system::HOME)?.join(".local/state/docker_delta"))).ok_or_else(|| {
        Error::environment("there is no place to keep what was applied")
            .with_hint(format!("set {} or XDG_STATE_HOME", system::HOME))
    })
}
