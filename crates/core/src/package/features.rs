//! What a reader of a package may have to know, by the names that `requires` gives it: see FORMAT.md, section 4.

use delta_codec::recreation;
use serde::{Deserialize, Serialize};

use crate::digest::DiffId;
use crate::limits::BEYOND_STREAM;
use crate::named::named;

named! {
    /// How one layer is coded; the name is that of the feature.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum LayerCodec {
        /// Entry by entry against any of the base layers.
        Recipe = "recipe",
        /// The tar stream itself.
        Whole = "whole",
        /// VCDIFF against the base layers, one behind the other.
        Vcdiff = "vcdiff",
        /// BSDIFF40 against the base layers, one behind the other.
        Bsdiff = "bsdiff",
    }
}

impl LayerCodec {
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
            Self::Recipe => RecipeStream::ALL.len(),
            Self::Whole | Self::Vcdiff | Self::Bsdiff => 1,
        }
    }
}

named! {
    /// What recipes may use besides, each under a feature of its own.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum RecipeFeature {
        /// Compressed contents are opened.
        Opened = "deflate-1",
        /// Addresses in executables are predicted.
        Predicted = "exec-1",
        /// Addresses in larger executables are predicted too.
        PredictedLarge = "exec-2",
        /// Contents are compressed again by encoders that their plans name by number.
        Encoded = "deflate-2",
        /// Members are mixed.
        Mixed = "mix-1",
        /// Values and literals are mixed with what stands around them.
        Guided = "mix-2",
    }
}

/// `metadata.json` leaves out what the documents say.
pub(crate) const IMPLIED: &str = "implied-1";

/// `metadata.json` leaves out sizes of layers that a base has, because they were not read.
pub(crate) const UNMEASURED: &str = "unmeasured-1";

named! {
    /// What the images of a package may have besides, each under a feature of its own.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum ImageFeature {
        /// A layout of them has an `index.json` of its own.
        LayoutIndex = "layout-index-1",
        /// All documents are mixed to one member.
        PackedDocuments = "documents-1",
    }
}

/// Every feature that a package may require of its reader.
pub fn features() -> impl Iterator<Item = &'static str> {
    let codecs = LayerCodec::ALL.into_iter().map(LayerCodec::name);
    let images = ImageFeature::ALL.into_iter().map(ImageFeature::name);
    let recipes = RecipeFeature::ALL.into_iter().map(RecipeFeature::name);
    codecs.chain([IMPLIED, UNMEASURED]).chain(images).chain(recipes).chain(recreation::features())
}

named! {
    /// The streams that a recipe is made of, each a member of the package, in the order in which they stand there. The name
    /// is what the name of the member ends in, before the compression.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum RecipeStream {
        /// What happens to each entry, and headers.
        Recipe = "recipe",
        /// Where patches take their bytes from.
        Control = "control",
        /// How far patched bytes that differ are apart.
        Gaps = "gaps",
        /// By how much they differ.
        Values = "values",
        /// Bytes that patches add.
        Literals = "literals",
        /// Contents that look like nothing known.
        Contents = "contents",
    }
}

impl RecipeStream {
    /// Which stream of the recipe of `layer` a member of this name is.
    pub(crate) fn of_member(name: &str, layer: DiffId) -> Option<Self> {
        let rest = name.strip_prefix("layer_deltas/")?.strip_prefix(layer.hex().as_str())?.strip_prefix('.')?;
        let stream = rest.split('.').next();
        Self::ALL.into_iter().find(|known| Some(known.name()) == stream)
    }

    /// The most bytes that it has. A patched content takes from each stream of patches no more bytes than it has itself, and
    /// a content that is opened has its plain bytes besides.
    pub(crate) const fn most(self, Extent { length, recompressed }: Extent) -> u64 {
        match self {
            Self::Recipe => length.saturating_mul(2).saturating_add(BEYOND_STREAM),
            Self::Control | Self::Gaps | Self::Values | Self::Literals => {
                length.saturating_add(recompressed).saturating_add(BEYOND_STREAM)
            }
            Self::Contents => length,
        }
    }
}

/// What bounds everything that is read and written to rebuild one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The bytes of the layer.
    pub length: u64,
    /// The plain bytes of compressed files in it that are compressed again.
    pub recompressed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_told_by_its_layer_and_its_ending() {
        let layer = DiffId::of(b"layer");
        let of = |name: &str| RecipeStream::of_member(&name.replace("HEX", &layer.hex()), layer);
        for stream in RecipeStream::ALL {
            for ending in ["", ".zst", ".mix", ".anything"] {
                assert_eq!(of(&format!("layer_deltas/HEX.{}{ending}", stream.name())), Some(stream));
            }
        }
        for name in [
            "layer_deltas/HEX",
            "layer_deltas/HEX.",
            "layer_deltas/HEXrecipe",
            "HEX.recipe",
            "layer_blobs/HEX.recipe",
            "layer_deltas/HEX.recipes",
            "layer_deltas/HEX.Recipe",
            "layer_deltas/0HEX.recipe",
            "",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn beyond_stream_is_what_a_stream_has_besides_its_layer() {
        let extent = Extent { length: 1_000, recompressed: 70 };
        let most = RecipeStream::ALL.map(|stream| stream.most(extent));
        let patch = 1_070 + BEYOND_STREAM;
        assert_eq!(most, [2_000 + BEYOND_STREAM, patch, patch, patch, patch, 1_000]);
        let endless = Extent { length: u64::MAX, recompressed: u64::MAX };
        assert!(RecipeStream::ALL.iter().all(|stream| stream.most(endless) == u64::MAX), "nothing overflows");
    }

    #[test]
    fn each_feature_is_named_once() {
        let all: Vec<&str> = features().collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len());
        assert_eq!(LayerCodec::ALL.map(LayerCodec::most_members), [6, 1, 1, 1]);
    }
}
