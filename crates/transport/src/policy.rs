//! What a site decided once about packages that come by themselves: whom it trusts, where images go. One file of TOML with keys and no tables.

mod keys;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use delta_core::error::{Error, Result};
use serde::Deserialize;

use crate::engine::ClientKind;
use crate::limits::{INTERVAL_SECONDS, POLICY_BYTES};
use crate::system;

/// The policy of the machine, which counts where no other one is named.
pub const OF_MACHINE: &str = "/etc/docker_delta/watch.toml";

/// What the file says; what it does not say is not decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Public keys, files with one, or folders of such files.
    pub trust: Vec<String>,
    /// Whether packages that nobody signed are taken.
    pub allow_unsigned: bool,
    /// Whether packages are refused that are older than what was applied.
    pub no_downgrade: bool,
    /// Files with identities that decrypt packages.
    pub identity_files: Vec<PathBuf>,
    /// The engine that gets the images.
    #[serde(deserialize_with = "keys::engine")]
    pub engine: Option<ClientKind>,
    /// The namespace of containerd that gets them.
    pub containerd: Option<String>,
    /// The registry, or a part of one, that gets them.
    pub to: Option<String>,
    /// The folder that gets them as archives.
    pub output: Option<PathBuf>,
    /// Where base images are, if not where the images go.
    pub bases: Vec<String>,
    /// The platforms that are taken of an image for several.
    pub platforms: Vec<String>,
    /// Seconds between two looks.
    pub interval: Option<u64>,
    /// Seconds for which a package that is refused is waited for to become whole.
    pub patience: Option<u64>,
    /// The folder for temporary files.
    pub temp_dir: Option<PathBuf>,
    /// A file with certificates of an authority for registries.
    pub tls_ca: Option<PathBuf>,
    /// Whether registries are spoken with without TLS.
    pub plain_http: bool,
}

impl Policy {
    /// Reads a policy, which others than its owner must not be able to write.
    ///
    /// # Errors
    /// Environment errors when it cannot be read, usage errors with the line for what it cannot mean.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let doing = || Error::io(format!("reading {shown}"));
        let found = fs::metadata(path).map_err(doing())?;
        if !found.is_file() {
            return Err(Error::usage(format!("{shown} is no regular file")).with_hint("a policy is one file of TOML"));
        }
        if system::mode(&found).is_some_and(|mode| mode & 0o022 != 0) {
            return Err(Error::environment(format!("others can write {shown}, so it decides nothing"))
                .with_hint(format!("look what is in it, then chmod go-w {shown}")));
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(doing())?;
        file.take(POLICY_BYTES + 1).read_to_end(&mut bytes).map_err(doing())?;
        if bytes.len() as u64 > POLICY_BYTES {
            return Err(Error::usage(format!("{shown} is longer than a policy may be: {POLICY_BYTES} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| Error::usage(format!("{shown} is no text in UTF-8")))?;
        Self::parse(&text).map_err(|error| error.within(&shown))
    }

    /// Reads the text of a policy.
    ///
    /// # Errors
    /// Usage errors with the line, and the key that may be meant.
    pub fn parse(text: &str) -> Result<Self> {
        let policy: Self = keys::parse(text)?;
        policy.require_one_meaning()?;
        Ok(policy)
    }

    fn require_one_meaning(&self) -> Result<()> {
        let places =
            [("containerd", self.containerd.is_some()), ("to", self.to.is_some()), ("output", self.output.is_some())];
        let places: Vec<&str> = places.iter().filter(|(_, is_said)| *is_said).map(|(name, _)| *name).collect();
        if let [one, other, ..] = places.as_slice() {
            return Err(Error::usage(format!(
                "`{one}` and `{other}` name two places for the images: give one of them"
            )));
        }
        if self.allow_unsigned && !self.trust.is_empty() {
            return Err(Error::usage("`trust` asks for signatures and `allow_unsigned` for none: give one of them"));
        }
        self.interval.map_or(Ok(0), require_interval)?;
        let paths = [&self.output, &self.temp_dir, &self.tls_ca].into_iter().flatten().chain(&self.identity_files);
        if let Some(relative) = paths.into_iter().find(|path| path.is_relative()) {
            return Err(Error::usage(format!("expected a path from the root on, found `{}`", relative.display()))
                .with_hint("who starts the program, and where, must not change what a policy means"));
        }
        Ok(())
    }
}

/// Fails for no time at all between two looks, in which what is being written cannot change, and for more than a day.
///
/// # Errors
/// A usage error.
pub fn require_interval(seconds: u64) -> Result<u64> {
    if (1..=INTERVAL_SECONDS).contains(&seconds) {
        return Ok(seconds);
    }
    Err(Error::usage(format!("expected 1 to {INTERVAL_SECONDS} seconds between two looks, found {seconds}")))
}

#[cfg(test)]
mod tests;
