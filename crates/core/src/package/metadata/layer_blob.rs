//! A layer's names in the document: the diff ID alone where the blob is the layer, which most are, or the number of another.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{BlobDigest, DiffId};

/// A layer as a manifest names it; in the document, the diff ID alone where the blob is the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayerBlob {
    /// The digest of the uncompressed stream.
    pub diff_id: DiffId,
    /// The digest of the blob.
    pub blob: BlobDigest,
}

/// A layer in a list of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedLayer {
    /// By its digests.
    Named(LayerBlob),
    /// By its number among the layers of all manifests.
    Number(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    diff_id: DiffId,
    blob: BlobDigest,
}

impl Serialize for LayerBlob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { diff_id, blob } = *self;
        if blob == diff_id.into() {
            diff_id.serialize(serializer)
        } else {
            Both { diff_id, blob }.serialize(serializer)
        }
    }
}

impl Serialize for ListedLayer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(layer) => layer.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ListedLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = ListedLayer;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a diff ID, an object of `diff_id` and `blob`, or a number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<ListedLayer, E> {
        usize::try_from(number).map(ListedLayer::Number).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ListedLayer, E> {
        let diff_id: DiffId = text.parse().map_err(E::custom)?;
        Ok(ListedLayer::Named(LayerBlob { diff_id, blob: diff_id.into() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ListedLayer, A::Error> {
        let Both { diff_id, blob } = Both::deserialize(MapAccessDeserializer::new(map))?;
        if blob == diff_id.into() {
            return Err(A::Error::custom("`blob` is the diff ID, which then stands alone"));
        }
        Ok(ListedLayer::Named(LayerBlob { diff_id, blob }))
    }
}
