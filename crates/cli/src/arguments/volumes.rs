//! What can be typed about volumes.

use std::path::PathBuf;

use clap::Args;
use delta_core::error::{Error, Result};
use delta_envelope::volumes::Parity;
use delta_transport::volumes::VolumeSize;

/// How a package is split.
#[derive(Debug, Args)]
pub(crate) struct VolumeArguments {
    /// Split the package into volumes of at most this size, PACKAGE.001 and so on: such as 700M, 4G, 100MiB, fat32
    #[arg(long, value_name = "SIZE")]
    pub(crate) volume_size: Option<VolumeSize>,
    /// Add parity, in volumes of its own: as much of the package may be lost or damaged on the way, from 1% to 100%
    #[arg(long, value_name = "N%")]
    pub(crate) parity: Option<Parity>,
    /// Go on where a run that wrote these volumes was stopped: those that are there and whole stay
    #[arg(long)]
    pub(crate) resume: bool,
}

impl VolumeArguments {
    /// Whether the package is to be split.
    pub(crate) fn is_split(&self) -> Result<bool> {
        let is_split = self.volume_size.is_some() || self.parity.is_some();
        if self.resume && !is_split {
            return Err(Error::usage("--resume goes on with volumes, and a package in one file has none")
                .with_hint("--volume-size SIZE or --parity N% makes volumes"));
        }
        Ok(is_split)
    }
}

/// Arguments of `split`.
#[derive(Debug, Args)]
pub struct Split {
    /// The package, or any volume of one that is to be split otherwise or copied
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    /// What the volumes are called, without the number; in a folder they are called like the package [default: PACKAGE]
    #[arg(value_name = "VOLUMES")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) volumes: VolumeArguments,
    /// Replace volumes that are there; nothing but volumes of a package is ever replaced
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Arguments of `join`.
#[derive(Debug, Args)]
pub struct Join {
    /// Any volume of the package
    #[arg(value_name = "VOLUME")]
    pub(crate) volume: PathBuf,
    /// The package to write; in a folder it is called like the volumes; `-` is standard output
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    /// Replace the package if there is one; nothing but a package is ever replaced
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
pub struct Repair {
    /// Any volume of the package
    #[arg(value_name = "VOLUME")]
    pub(crate) volume: PathBuf,
    /// Write the volumes that are missing or bad into this folder, and not where they belong
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}
