//! A layer's names in the document: the diff ID alone where the blob is the layer, which most are.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::LayerBlob;
use crate::digest::{BlobDigest, DiffId};

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

impl<'de> Deserialize<'de> for LayerBlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = LayerBlob;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a diff ID, or an object of `diff_id` and `blob`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<LayerBlob, E> {
        let diff_id: DiffId = text.parse().map_err(E::custom)?;
        Ok(LayerBlob { diff_id, blob: diff_id.into() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LayerBlob, A::Error> {
        let Both { diff_id, blob } = Both::deserialize(MapAccessDeserializer::new(map))?;
        if blob == diff_id.into() {
            return Err(A::Error::custom("`blob` is the diff ID, which then stands alone"));
        }
        Ok(LayerBlob { diff_id, blob })
    }
}
