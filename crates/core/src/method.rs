//! What the user chose with `-m`, and how one layer then travels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::recipe::Stream;

/// How layers that the base lacks are coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// For each layer, whatever is smallest.
    #[default]
    Auto,
    /// One VCDIFF (RFC 3284) a layer, which `xdelta3 -d` reads.
    Xdelta3,
    /// One BSDIFF40 a layer, which `bspatch` reads.
    Bsdiff,
    /// Whole layers.
    Layer,
}

impl Method {
    /// Every method, the default first.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Xdelta3, Self::Bsdiff, Self::Layer];

    /// The name that a user types.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Xdelta3 => "xdelta3",
            Self::Bsdiff => "bsdiff",
            Self::Layer => "layer",
        }
    }

    /// The codecs among which the smallest result is taken; for `auto`, besides the recipe.
    pub(crate) const fn codecs(self) -> &'static [LayerCodec] {
        match self {
            Self::Auto => &[LayerCodec::Whole, LayerCodec::Vcdiff, LayerCodec::Bsdiff],
            Self::Xdelta3 => &[LayerCodec::Vcdiff],
            Self::Bsdiff => &[LayerCodec::Bsdiff],
            Self::Layer => &[LayerCodec::Whole],
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == text)
            .ok_or_else(|| Error::usage(format!("expected a method (auto, xdelta3, bsdiff or layer), found `{text}`")))
    }
}

/// How one layer is coded. Part of the format: see FORMAT.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerCodec {
    /// Entry by entry against any of the base layers.
    Recipe,
    /// The tar stream itself.
    Whole,
    /// VCDIFF against the base layers, one behind the other.
    Vcdiff,
    /// BSDIFF40 against the base layers, one behind the other.
    Bsdiff,
}

impl LayerCodec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Recipe, Self::Whole, Self::Vcdiff, Self::Bsdiff];

    /// What the name of the first member ends in, before the compressor's suffix.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Recipe => ".recipe",
            Self::Whole => ".tar",
            Self::Vcdiff => ".vcdiff",
            Self::Bsdiff => ".bsdiff",
        }
    }

    /// How many members a layer has; a recipe has one for each long stream.
    pub(crate) const fn most_members(self) -> usize {
        match self {
            Self::Recipe => Stream::ALL.len(),
            Self::Whole | Self::Vcdiff | Self::Bsdiff => 1,
        }
    }

    /// The name under which a package requires it.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Whole => "whole",
            Self::Vcdiff => "vcdiff",
            Self::Bsdiff => "bsdiff",
        }
    }
}

/// The feature of recipes that open compressed contents.
pub const OPENED: &str = "deflate-1";

/// The feature of recipes that predict addresses in executables.
pub const PREDICTED: &str = "exec-1";

/// Every feature that a package may require of its reader.
pub fn features() -> impl Iterator<Item = &'static str> {
    LayerCodec::ALL.into_iter().map(LayerCodec::feature).chain([OPENED, PREDICTED])
}

/// Which identity of an image must come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Everything: index, manifests and the compressed blobs that they name, so that digests and signatures stay valid.
    #[default]
    Manifest,
    /// The configs and diff IDs, which are the image's identity for Docker's classic store and podman. Layers that the
    /// source holds compressed come back uncompressed, under another manifest.
    Config,
}

impl FromStr for Identity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "manifest" => Ok(Self::Manifest),
            "config" => Ok(Self::Config),
            _ => Err(Error::usage(format!("expected an identity (manifest or config), found `{text}`"))),
        }
    }
}
