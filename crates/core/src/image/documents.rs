//! The documents of an image: reading the fields that matter, and making the manifest that a source does not have.

mod fields;
mod layout;
mod reading;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::{BlobDigest, ConfigDigest, DiffId};
use crate::error::{Error, Result};
use crate::image::{Document, Platform};
pub use fields::fields;
pub use layout::{LayoutEntry, LayoutIndex};
pub use reading::{
    About, Config, Pointer, Pointers, is_of_no_layers, media_type, read_about, read_config, read_pointers,
};

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

/// The ID of the image whose config this is.
pub fn config_digest(config: &Document) -> ConfigDigest {
    ConfigDigest::of(config.bytes())
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
    fn a_signature_with_the_config_of_an_image_is_told_from_one() {
        let pointers = |media_type: &str| {
            let digest = BlobDigest::of(b"a");
            let text = format!(
                r#"{{"config":{{"digest":"{digest}","size":1}},"layers":[{{"mediaType":"{media_type}","digest":"{digest}","size":1}}]}}"#
            );
            match read_pointers(&Document::new(text.into_bytes())).unwrap() {
                Pointers::Manifest { layers, .. } => layers,
                Pointers::Index(_) => panic!("expected a manifest"),
            }
        };
        let read = |text: &str| read_config(&Document::new(text.as_bytes().to_vec())).unwrap();
        let (nowhere, linux) = (read(r#"{"os":"","architecture":""}"#), read(r#"{"os":"linux"}"#));
        let signed = pointers("application/vnd.dev.cosign.simplesigning.v1+json");
        assert!(is_of_no_layers(&nowhere, &signed));
        assert!(!is_of_no_layers(&linux, &signed));
        for layer in [OCI_LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip", ""] {
            assert!(!is_of_no_layers(&nowhere, &pointers(layer)), "{layer}");
        }
        assert!(!is_of_no_layers(&nowhere, &[]));
    }

    fn document_of(text: &str) -> Document {
        Document::new(text.as_bytes().to_vec())
    }

    #[test]
    fn what_a_manifest_is_about_is_read_where_it_is_said() {
        let digest = BlobDigest::of(b"a");
        let about = |text: &str| read_about(&document_of(&text.replace("DIGEST", &digest.to_string())));
        for (text, subject, artifact_type) in [
            (r#"{"subject":{"digest":"DIGEST","size":1},"artifactType":"a/b"}"#, Some(digest), Some("a/b")),
            (r#"{"artifactType":"a/b","config":{"mediaType":"c/d","digest":"DIGEST","size":1}}"#, None, Some("a/b")),
            (r#"{"config":{"mediaType":"c/d","digest":"DIGEST","size":1}}"#, None, Some("c/d")),
            (r#"{"artifactType":"","config":{"digest":"DIGEST","size":1}}"#, None, None),
            (r#"{"artifactType":7,"subject":{"digest":"sha512:00","size":1}}"#, None, None),
            (r#"{"artifactType":null,"subject":null}"#, None, None),
            ("[]", None, None),
            ("", None, None),
        ] {
            let expected = About { subject, artifact_type: artifact_type.map(str::to_owned) };
            assert_eq!(about(text), expected, "{text}");
        }
    }

    #[test]
    fn a_media_type_is_what_a_document_says_of_itself() {
        let said = |text: &str| media_type(&document_of(text));
        assert_eq!(said(r#"{"mediaType":"a/b"}"#).as_deref(), Some("a/b"));
        for text in [r#"{"mediaType":""}"#, r#"{"mediaType":7}"#, r#"{"mediaType":null}"#, "{}", "[]", "", "\u{feff}{}"]
        {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn a_descriptor_says_what_it_points_to() {
        let digest = BlobDigest::of(b"a");
        let layer = |more: &str| {
            let text = format!(
                r#"{{"config":{{"mediaType":"x","digest":"{digest}","size":1}},"layers":[{{"digest":"{digest}"{more}}}]}}"#
            );
            read_pointers(&document_of(&text)).map(|pointers| match pointers {
                Pointers::Manifest { mut layers, .. } => layers.remove(0),
                Pointers::Index(_) => panic!("expected a manifest"),
            })
        };
        let kind = |kind: &str| format!(r#","annotations":{{"vnd.docker.reference.type":{kind}}}"#);
        assert!(layer(&kind(r#""attestation-manifest""#)).unwrap().is_attestation);
        for other in [r#""attestation""#, "7", "null", r#""""#] {
            assert!(!layer(&kind(other)).unwrap().is_attestation, "{other}");
        }
        for (media_type, is_config) in [
            (OCI_CONFIG, true),
            ("application/vnd.docker.container.image.v1+json", true),
            (OCI_MANIFEST, false),
            ("", false),
        ] {
            let pointer = layer(&format!(r#","mediaType":"{media_type}""#)).unwrap();
            assert_eq!((pointer.media_type.as_str(), pointer.is_image_config()), (media_type, is_config));
        }
        for (more, size) in
            [("", 0), (r#","size":0"#, 0), (r#","size":-1"#, 0), (r#","size":9223372036854775807"#, u64::MAX >> 1)]
        {
            assert_eq!(layer(more).unwrap().size, size, "{more}");
        }
        for (urls, has_urls) in [("[]", false), ("null", false), (r#"["https://a.example"]"#, true)] {
            assert_eq!(layer(&format!(r#","urls":{urls}"#)).unwrap().has_urls, has_urls);
        }
        for more in [
            r#","size":9223372036854775808"#,
            r#","size":1.5"#,
            r#","size":"1""#,
            r#","urls":7"#,
            r#","mediaType":7"#,
            r#","annotations":7"#,
            r#","digest":"sha256:0""#,
        ] {
            let error = layer(more).unwrap_err();
            assert_eq!(error.kind(), crate::Kind::Content);
            assert!(
                error.to_string().contains("`layers`") || error.to_string().contains("expected a digest"),
                "{more}: {error}"
            );
        }
    }

    #[test]
    fn what_points_to_nothing_is_refused_by_what_it_is() {
        let said = |text: &str| read_pointers(&document_of(text)).unwrap_err().to_string();
        assert!(said(r#"{"schemaVersion":1,"fsLayers":[]}"#).contains("it is of Docker's schema 1"));
        assert!(said(r#"{"schemaVersion":1,"fsLayers":null}"#).contains("it names no config"));
        assert!(said("{}").contains("it is neither a manifest nor an index: it names no config"));
        assert!(said("\u{feff}{}").contains("byte order mark"));
        let other = r#"{"manifests":[{"digest":"sha512:00","size":1},{"digest":"sha256:0","size":1}]}"#;
        assert_eq!(
            read_pointers(&document_of(other)).unwrap(),
            Pointers::Index(Vec::new()),
            "nobody can look for these"
        );
    }

    #[test]
    fn a_variant_that_says_nothing_is_none() {
        let platform = |text: &str| read_config(&document_of(text)).unwrap().platform.to_string();
        assert_eq!(platform(r#"{"os":"linux","architecture":"arm","variant":"v7"}"#), "linux/arm/v7");
        assert_eq!(platform(r#"{"os":"linux","architecture":"arm","variant":""}"#), "linux/arm");
    }

    #[test]
    fn what_is_no_document_is_named() {
        let error = read_config(&Document::new(&b"[]"[..])).unwrap_err();
        assert!(error.to_string().starts_with("the config sha256:"), "{error}");
        assert!(read_pointers(&Document::new(&b"{\"manifests\":3}"[..])).is_err());
    }
}
