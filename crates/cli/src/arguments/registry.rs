//! What can be typed after `push` and `pull`.

use std::path::PathBuf;

use clap::Args;
use delta_core::error::{Error, Result};
use delta_transport::registry::Address;

use super::{Freshness, Opening, Placement};

/// Arguments of `push`.
#[derive(Debug, Args)]
pub struct Push {
    /// The package; `-` is standard input
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: PathBuf,
    /// Where it goes: beside the image that has this name, or under this name (docker://REGISTRY/NAME[:TAG])
    #[arg(value_name = "IMAGE", value_parser = place)]
    pub(crate) to: Address,
    #[command(flatten)]
    pub(crate) opening: Opening,
    /// Only say what would be sent
    #[arg(short, long)]
    pub(crate) dry_run: bool,
    /// Send it again if it is there already; let a tag of another package have it; nothing but a package is ever replaced
    #[arg(short, long)]
    pub(crate) force: bool,
}

/// Arguments of `pull`.
#[derive(Debug, Args)]
pub struct Pull {
    /// The image that is wanted, or one package of it (docker://REGISTRY/NAME[:TAG][@DIGEST])
    #[arg(value_name = "IMAGE", value_parser = address)]
    pub(crate) image: Address,
    #[command(flatten)]
    pub(crate) placement: Placement,
    /// Only fetch the package, into this file; in a folder it is called like the image
    #[arg(long, value_name = "PACKAGE", conflicts_with_all = ["name", "output"])]
    pub(crate) download: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) opening: Opening,
    #[command(flatten)]
    pub(crate) freshness: Freshness,
    /// Only say which packages there are, which of them fit, and which would be fetched
    #[arg(short, long)]
    pub(crate) dry_run: bool,
    /// Do it again if the image is there already; replace what is written if it is of the same kind
    #[arg(short, long)]
    pub(crate) force: bool,
}

fn address(text: &str) -> Result<Address> {
    if Address::is_meant(text) {
        return text.parse();
    }
    Err(Error::usage(format!("expected docker://REGISTRY/NAME[:TAG], found `{text}`")))
}

/// What is written has no digest before it is written.
fn place(text: &str) -> Result<Address> {
    let address = address(text)?;
    match address.digest() {
        Some(_) => Err(Error::usage(format!("{address} has a digest, which cannot be given to a package; name a tag"))),
        None => Ok(address),
    }
}
