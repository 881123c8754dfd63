//! What the user chose: the method, the compression, and which identity must come back.

use std::fmt;
use std::str::FromStr;

use delta_codec::align::Fineness;
use delta_codec::compress::{Compression, Level};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::named::named;

named! {
    /// How layers that the base lacks are coded.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Method {
        /// For each layer, whatever is smallest.
        #[default]
        Auto = "auto",
        /// One VCDIFF (RFC 3284) a layer, which `xdelta3 -d` reads.
        Xdelta3 = "xdelta3",
        /// One BSDIFF40 a layer, which `bspatch` reads.
        Bsdiff = "bsdiff",
        /// Whole layers.
        Layer = "layer",
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

named! {
    /// Which identity of an image must come back.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Identity {
        /// Everything: index, manifests and the compressed blobs that they name, so that digests and signatures stay valid.
        #[default]
        Manifest = "manifest",
        /// The configs and diff IDs, which are the image's identity for Docker's classic store and podman. Layers that the
        /// source holds compressed come back uncompressed, under another manifest.
        Config = "config",
    }
}

impl FromStr for Identity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|identity| identity.name() == text)
            .ok_or_else(|| Error::usage(format!("expected an identity (manifest or config), found `{text}`")))
    }
}

/// From this level of zstd on the smallest of all ways is looked for.
const THOROUGH_LEVEL: i32 = 19;

/// From this level of zstd on time is spent on what holds most of a package.
const CAREFUL_LEVEL: i32 = 4;

/// How the members of a package are compressed.
#[derive(Clone, Copy, Debug)]
pub struct CompressionOptions {
    /// The compressor of members.
    pub compressor: Compression,
    /// How hard.
    pub level: Level,
    /// Whether compressed files inside layers may be opened, and compressed again where the package is applied.
    pub recompress: bool,
}

impl CompressionOptions {
    /// The compressor with its usual level, and everything allowed.
    pub const fn usual(compressor: Compression) -> Self {
        Self { compressor, level: compressor.default_level(), recompress: true }
    }

    /// Whether a member is worth being compressed in several ways.
    pub(crate) fn is_thorough(self) -> bool {
        self.compressor == Compression::Zstd && self.level.number() >= THOROUGH_LEVEL
    }

    /// Whether a stream that is much of a package is worth being compressed in a second way.
    pub fn is_careful(self) -> bool {
        self.compressor == Compression::Zstd && self.level.number() >= CAREFUL_LEVEL
    }

    /// How closely bases are looked at: as hard as is compressed. Half of the time of `create` is this at every byte, for
    /// packages that are a hundredth smaller (bench/README.md).
    pub(crate) const fn fineness(self) -> Fineness {
        // The scales of the others end where that of zstd is half through.
        let level = match self.compressor {
            Compression::Zstd => self.level.number(),
            Compression::None => return Fineness::Fourth,
            Compression::Gzip | Compression::Bzip2 | Compression::Xz => 2 * self.level.number(),
        };
        match level {
            ..=3 => Fineness::Eighth,
            4..=9 => Fineness::Fourth,
            10..=15 => Fineness::Second,
            _ => Fineness::Every,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_parse_as_they_are_named() {
        for method in Method::ALL {
            assert_eq!(method.name().parse::<Method>().unwrap(), method);
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
        }
        for identity in Identity::ALL {
            assert_eq!(identity.name().parse::<Identity>().unwrap(), identity);
            assert_eq!(serde_json::to_string(&identity).unwrap(), format!("\"{}\"", identity.name()));
        }
        assert!("Auto".parse::<Method>().is_err() && "".parse::<Identity>().is_err());
    }

    #[test]
    fn bases_are_looked_at_as_hard_as_is_compressed() {
        let at = |compressor, level| CompressionOptions {
            level: Level::new(compressor, level).unwrap(),
            ..CompressionOptions::usual(compressor)
        };
        for (level, fineness, thorough) in [
            (-1, Fineness::Eighth, false),
            (3, Fineness::Eighth, false),
            (4, Fineness::Fourth, false),
            (9, Fineness::Fourth, false),
            (10, Fineness::Second, false),
            (16, Fineness::Every, false),
            (18, Fineness::Every, false),
            (19, Fineness::Every, true),
        ] {
            let options = at(Compression::Zstd, level);
            assert_eq!((options.fineness(), options.is_thorough()), (fineness, thorough), "{level}");
            assert_eq!(options.is_careful(), level > 3);
        }
        assert_eq!(at(Compression::Xz, 1).fineness(), Fineness::Eighth);
        assert_eq!(at(Compression::Gzip, 6).fineness(), Fineness::Second);
        assert_eq!(at(Compression::Xz, 9).fineness(), Fineness::Every);
        assert!(!at(Compression::Xz, 9).is_thorough() && !at(Compression::Xz, 9).is_careful());
        assert_eq!(CompressionOptions::usual(Compression::None).fineness(), Fineness::Fourth);
    }
}
