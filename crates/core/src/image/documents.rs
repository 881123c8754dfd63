//! The documents of an image: reading the fields that matter, and making the manifest that a source does not have.

use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::digest::{BlobDigest, ConfigDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::{Document, Platform};

/// The media type of an OCI image manifest (OCI image-spec, media-types.md).
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of an OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The media type of a config that says nothing (OCI image-spec, manifest.md, "Guidelines for Artifact Usage").
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Makes the manifest that Docker 25 and later make for an image with this config whose layers are stored uncompressed:
/// nothing but the config's and the layers' digests and sizes go into it.
///
/// # Errors
/// Never for real images; an internal error otherwise.
pub fn synthesise_manifest(config: &Document, layers: &[(DiffId, u64)]) -> Result<Document> {
    let manifest = Manifest {
        schema_version: 2,
        media_type: OCI_MANIFEST,
        config: Blob { media_type: OCI_CONFIG, digest: config.digest(), size: config.bytes().len() as u64 },
        layers: layers
            .iter()
            .map(|(diff_id, size)| Blob { media_type: OCI_LAYER, digest: (*diff_id).into(), size: *size })
            .collect(),
    };
    document(&manifest)
}

/// Makes an index of manifests: each with its platform.
///
/// # Errors
/// Never for real images; an internal error otherwise.
pub fn synthesise_index(manifests: &[(Document, Option<Platform>)]) -> Result<Document> {
    let entry = |(manifest, platform): &(Document, Option<Platform>)| IndexEntry {
        media_type: OCI_MANIFEST.to_owned(),
        digest: manifest.digest(),
        size: manifest.bytes().len() as u64,
        annotations: BTreeMap::new(),
        platform: platform.clone(),
    };
    document(&Index::of(manifests.iter().map(entry).collect()))
}

/// An index as it is written (OCI image-spec, image-index.md).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<IndexEntry>,
}

impl Index {
    /// The index of these manifests and indexes.
    pub const fn of(manifests: Vec<IndexEntry>) -> Self {
        Self { schema_version: 2, media_type: OCI_INDEX, manifests }
    }
}

/// What an index says of one manifest or index; what is empty is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexEntry {
    /// The media type.
    pub media_type: String,
    /// The digest.
    pub digest: BlobDigest,
    /// The size in bytes.
    pub size: u64,
    /// Annotations, as names in an archive are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<&'static str, String>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// What a config says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The platform.
    pub platform: Platform,
    /// The layers, lowest first.
    pub diff_ids: Vec<DiffId>,
    /// When the image was made, in the words of whoever made it.
    pub created: Option<String>,
}

/// Reads a config (OCI image-spec, config.md); Docker's has the same fields. Only these are looked at, and as Go reads them:
/// of a doubled field the last counts, what is null or of another type counts as absent, bytes that are no UTF-8 are replaced.
///
/// # Errors
/// A content error when it is no object, or lists what is no digest.
pub fn read_config(document: &Document) -> Result<Config> {
    let fault = |what: &dyn std::fmt::Display| {
        Error::content(format!("the config {} cannot be read: {what}", document.digest()))
    };
    let text = String::from_utf8_lossy(document.bytes());
    let fields: ConfigFields = serde_json::from_str(&text).map_err(|error| fault(&error))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let listed = match &fields.rootfs["diff_ids"] {
        Value::Array(listed) => listed.as_slice(),
        _ => &[],
    };
    let diff_id = |value: &Value| Ok(value.as_str().ok_or_else(|| fault(&"a layer without a digest"))?.parse()?);
    Ok(Config {
        platform: Platform {
            os: text(&fields.os).unwrap_or_default(),
            architecture: text(&fields.architecture).unwrap_or_default(),
            variant: text(&fields.variant).filter(|variant| !variant.is_empty()),
        },
        diff_ids: listed.iter().map(diff_id).collect::<Result<_>>()?,
        created: text(&fields.created),
    })
}

/// The fields of a config that are looked at.
#[derive(Default)]
struct ConfigFields {
    os: Value,
    architecture: Value,
    variant: Value,
    created: Value,
    rootfs: Value,
}

impl<'de> Deserialize<'de> for ConfigFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = ConfigFields;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<ConfigFields, A::Error> {
        let mut fields = ConfigFields::default();
        while let Some(key) = map.next_key::<String>()? {
            let field = match key.as_str() {
                "os" => &mut fields.os,
                "architecture" => &mut fields.architecture,
                "variant" => &mut fields.variant,
                "created" => &mut fields.created,
                "rootfs" => &mut fields.rootfs,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = map.next_value()?;
        }
        Ok(fields)
    }
}

/// What a manifest or an index points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pointers {
    /// A manifest's config and layers.
    Manifest {
        /// The config.
        config: Pointer,
        /// The layers, lowest first.
        layers: Vec<Pointer>,
    },
    /// An index's manifests and indexes.
    Index(Vec<Pointer>),
}

/// One descriptor (OCI image-spec, descriptor.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The media type, which may lie.
    pub media_type: String,
    /// The digest.
    pub digest: BlobDigest,
    /// The size in bytes.
    pub size: u64,
    /// Whether it says of itself that it is an attestation (BuildKit, "attestation-storage").
    pub is_attestation: bool,
}

/// Reads a manifest or an index, told apart by their fields.
///
/// # Errors
/// A content error when it is neither.
pub fn read_pointers(document: &Document) -> Result<Pointers> {
    #[derive(Deserialize)]
    struct Fields {
        manifests: Option<Vec<Descriptor>>,
        config: Option<Descriptor>,
        layers: Option<Vec<Descriptor>>,
    }
    let fields: Fields = serde_json::from_slice(document.bytes())
        .map_err(|error| Error::content(format!("the manifest {} cannot be read: {error}", document.digest())))?;
    let pointers = |all: Option<Vec<Descriptor>>| all.unwrap_or_default().into_iter().map(pointer).collect();
    match (fields.manifests, fields.config) {
        (Some(manifests), _) => Ok(Pointers::Index(pointers(Some(manifests)))),
        (None, Some(config)) => Ok(Pointers::Manifest { config: pointer(config), layers: pointers(fields.layers) }),
        (None, None) => Err(Error::content(format!(
            "the document {} is neither a manifest nor an index: it names no config",
            document.digest()
        ))),
    }
}

/// The ID of the image whose config this is.
pub fn config_digest(config: &Document) -> ConfigDigest {
    ConfigDigest::of(config.bytes())
}

/// What is read of a descriptor.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: BlobDigest,
    size: u64,
    annotations: Option<BTreeMap<String, Value>>,
}

fn pointer(descriptor: Descriptor) -> Pointer {
    let Descriptor { media_type, digest, size, annotations } = descriptor;
    let kind = annotations.as_ref().and_then(|all| all.get("vnd.docker.reference.type"));
    Pointer {
        media_type: media_type.unwrap_or_default(),
        digest,
        size,
        is_attestation: kind.and_then(Value::as_str).is_some_and(|kind| kind == "attestation-manifest"),
    }
}

fn document(value: &impl Serialize) -> Result<Document> {
    let bytes = serde_json::to_vec(value).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Document::new(bytes))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: &'static str,
    config: Blob,
    layers: Vec<Blob>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    media_type: &'static str,
    digest: BlobDigest,
    size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synthesised_manifest_reads_back() {
        let config = Document::new(&b"{}"[..]);
        let layers = [(DiffId::of(b"a"), 1), (DiffId::of(b"b"), 2)];
        let manifest = synthesise_manifest(&config, &layers).unwrap();
        assert!(manifest.bytes().starts_with(
            br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
        ));
        let Pointers::Manifest { config: pointer, layers: pointers } = read_pointers(&manifest).unwrap() else {
            panic!("expected a manifest");
        };
        assert_eq!((pointer.digest, pointer.size), (config.digest(), 2));
        assert_eq!(pointers.iter().map(|layer| layer.size).collect::<Vec<_>>(), [1, 2]);
        let index = synthesise_index(&[(manifest.clone(), None)]).unwrap();
        let Pointers::Index(entries) = read_pointers(&index).unwrap() else { panic!("expected an index") };
        assert_eq!(entries[0].digest, manifest.digest());
    }

    #[test]
    fn a_config_is_read_as_go_reads_it() {
        let read = |text: &[u8]| read_config(&Document::new(text)).unwrap();
        let layer = DiffId::of(b"a");
        let odd = format!(
            r#"{{"os":"x","os":"linux","architecture":null,"variant":7,"config":{{"Volumes":{{"/data":null}},
            "ExposedPorts":[]}},"rootfs":{{"type":null,"diff_ids":["{layer}"]}},"history":"none"}}"#
        );
        let config = read(odd.as_bytes());
        assert_eq!((config.platform.to_string().as_str(), config.diff_ids), ("linux/", vec![layer]));
        for text in [&b"{}"[..], br#"{"rootfs":null}"#, br#"{"rootfs":{"diff_ids":null}}"#, b"{\"author\":\"\xff\"}"] {
            assert!(read(text).diff_ids.is_empty());
        }
        for text in [&b""[..], b"7", br#"{"rootfs":{"diff_ids":["sha256:0"]}}"#, br#"{"rootfs":{"diff_ids":[7]}}"#] {
            assert!(read_config(&Document::new(text)).is_err());
        }
    }

    #[test]
    fn what_is_no_document_is_named() {
        let error = read_config(&Document::new(&b"[]"[..])).unwrap_err();
        assert!(error.to_string().starts_with("the config sha256:"), "{error}");
        assert!(read_pointers(&Document::new(&b"{\"manifests\":3}"[..])).is_err());
    }
}
