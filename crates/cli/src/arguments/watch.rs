//! What can be typed after `watch`.

use std::path::PathBuf;

use clap::Args;
use delta_core::error::{Error, Result};
use delta_core::image::Platform;
use delta_transport::policy::require_interval;

/// Arguments of `watch`. What is typed counts more than what the policy says.
#[derive(Debug, Args)]
pub struct Watch {
    /// The folder into which packages are dropped; it gets the folders `done` and `failed`
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The policy: a file of TOML with the options below as keys [default: /etc/docker_delta/watch.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Deal with what is there now, then end: for cron and scripts
    #[arg(long)]
    pub(crate) once: bool,
    /// Look again after so many seconds; what did not change from look to look is taken to be there [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(crate) interval: Option<u64>,
    /// Wait so many seconds without a change for a package that is refused to become whole, or for its signature, before it goes to `failed` [default: 300,
    /// with --once 0]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) patience: Option<u64>,
    #[command(flatten)]
    pub(crate) trust: WatchTrust,
    #[command(flatten)]
    pub(crate) place: WatchPlace,
    /// Where the base images are, if not where the images go; may be given several times
    #[arg(short, long = "base", value_name = "IMAGE")]
    pub(crate) bases: Vec<String>,
    /// Take only this platform of an image for several
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub(crate) platforms: Vec<Platform>,
    /// Refuse a package that is older than the one that was applied last, by the numbers that its maker signed
    #[arg(long)]
    pub(crate) no_downgrade: bool,
}

/// Whose packages are taken.
#[derive(Debug, Args)]
pub(crate) struct WatchTrust {
    /// Take only what this key signed: a public key (RW…), a file with one (NAME.pub), or a folder of such files; may be given several
    /// times [default: the keys in /etc/docker_delta/trusted.d]
    #[arg(long, value_name = "PUBKEY|FILE|DIR")]
    pub(crate) trust: Vec<String>,
    /// Take what nobody signed too
    #[arg(long, conflicts_with = "trust")]
    pub(crate) allow_unsigned: bool,
    /// Decrypt with the identity in this file, of `age-keygen` or of ssh; may be given several times
    #[arg(long = "identity-file", value_name = "FILE")]
    pub(crate) identity_files: Vec<PathBuf>,
}

/// Where the images go, if not into the engine.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct WatchPlace {
    /// Push all images into this registry, each with the path that it had behind this one (registry.local:5000/mirror/)
    #[arg(long, value_name = "REGISTRY[/PATH]")]
    pub(crate) to: Option<String>,
    /// Bring them into this namespace of containerd (k8s.io)
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) containerd: Option<String>,
    /// Write them into this folder, as archives that are called like the packages
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<u64> {
    text.parse().map_err(|_| Error::usage("expected a number of seconds"))
}

fn interval(text: &str) -> Result<u64> {
    seconds(text).and_then(require_interval)
}
