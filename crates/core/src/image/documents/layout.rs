//! `index.json` of an OCI layout (OCI image-spec, image-layout.md): what it says of the images in it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fields::{Fault, fields, list, text};
use super::reading::Descriptor;
use super::{Index, IndexEntry, OCI_INDEX};
use crate::digest::BlobDigest;
use crate::error::{Error, Result};
use crate::image::{Document, ImageName, Platform, Root};

/// The annotation with an image's full name, as containerd and Docker write it.
const NAME: &str = "io.containerd.image.name";

/// The annotation with an image's tag, or what else the layout calls it (OCI image-spec, annotations.md).
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// What an `index.json` lists.
#[derive(Clone, Debug)]
pub struct LayoutIndex {
    /// The entries, in their order.
    pub entries: Vec<LayoutEntry>,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct LayoutEntry {
    raw: Box<RawValue>,
    /// The digest as it is written.
    pub named: String,
    /// The digest, unless it is of another kind than SHA-256.
    pub digest: Option<BlobDigest>,
    /// The media type; empty where it is not said.
    pub media_type: String,
    /// What it is, where it is no image.
    pub artifact_type: Option<String>,
    /// The platform, where it is said wholly.
    pub platform: Option<Platform>,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
}

impl LayoutIndex {
    /// Reads an `index.json`.
    ///
    /// # Errors
    /// A content error when it is none.
    pub fn read(document: &Document) -> Result<Self> {
        let read = || -> std::result::Result<Self, Fault> {
            let [manifests] = fields(&text(document)?, ["manifests"])?;
            let entries = list(manifests, "manifests")?.into_iter().map(LayoutEntry::read);
            Ok(Self { entries: entries.collect::<std::result::Result<_, Fault>>()? })
        };
        read().map_err(|fault| Error::content(format!("index.json is not valid: {fault}")))
    }

    /// The entries of one image.
    pub fn of(&self, root: BlobDigest) -> impl Iterator<Item = &LayoutEntry> {
        self.entries.iter().filter(move |entry| entry.digest == Some(root))
    }

    /// The index that a writer makes of names alone, as `docker save` does: an entry for each name, one for an image without.
    ///
    /// # Errors
    /// Never for real images; an internal error otherwise.
    pub fn made<'a>(images: impl IntoIterator<Item = (&'a [ImageName], &'a Root)>) -> Result<Document> {
        let entry = |root: &Root, annotations| IndexEntry {
            media_type: root.media_type.clone(),
            digest: root.digest,
            size: root.size,
            annotations,
            platform: None,
        };
        let entries = |(names, root): (&[ImageName], &Root)| match names {
            [] => vec![entry(root, BTreeMap::new())],
            names => names.iter().map(|name| entry(root, annotations(name))).collect::<Vec<_>>(),
        };
        super::document(&Index::of(images.into_iter().flat_map(entries).collect()))
    }

    /// An `index.json` of these entries, each as it was found.
    pub fn of_entries<'a>(entries: impl IntoIterator<Item = &'a LayoutEntry>) -> Document {
        let entries: Vec<&str> = entries.into_iter().map(|entry| entry.raw.get()).collect();
        let entries = entries.join(",");
        Document::new(
            format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{entries}]}}"#).into_bytes(),
        )
    }

    /// The index with `name` as the only name of the image `root`; what else it says stays.
    ///
    /// # Errors
    /// Never for real images; an internal error otherwise.
    pub(crate) fn renamed(&self, root: BlobDigest, name: &ImageName) -> Result<Document> {
        let of_root = |entry: &&LayoutEntry| entry.digest == Some(root);
        let first = self.entries.iter().position(|entry| of_root(&entry));
        let mut entries = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if Some(at) == first {
                entries.push(entry.with_annotations(annotations(name))?);
            } else if !of_root(&entry) {
                entries.push(entry.clone());
            }
        }
        Ok(Self::of_entries(&entries))
    }

    /// The index with `to` where the image `from` was; what else it says stays.
    ///
    /// # Errors
    /// Never for real images; an internal error otherwise.
    pub(crate) fn moved(&self, from: BlobDigest, to: &Root) -> Result<Document> {
        let moved = |entry: &LayoutEntry| match entry.digest == Some(from) {
            true => entry.edited(|fields| {
                fields.insert("mediaType".to_owned(), json!(to.media_type));
                fields.insert("digest".to_owned(), json!(to.digest));
                fields.insert("size".to_owned(), json!(to.size));
            }),
            false => Ok(entry.clone()),
        };
        let entries = self.entries.iter().map(moved).collect::<Result<Vec<_>>>()?;
        Ok(Self::of_entries(&entries))
    }
}

/// Entries are equal when they are written alike.
impl PartialEq for LayoutEntry {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl LayoutEntry {
    fn read(raw: Box<RawValue>) -> std::result::Result<Self, Fault> {
        let Descriptor { media_type, digest: named, artifact_type, platform, annotations, .. } =
            Descriptor::read(raw.get())?;
        if !named.contains(':') {
            return Err(format!("`{}` is no digest", named.chars().take(100).collect::<String>()));
        }
        let text = |(key, value): (String, Value)| match value {
            Value::String(text) => Ok((key, text)),
            Value::Null => Ok((key, String::new())),
            _ => Err(format!("the annotation `{key}` is no text")),
        };
        let annotations = annotations.into_iter().map(text).collect::<std::result::Result<_, Fault>>()?;
        let digest = named.parse().ok();
        Ok(Self { raw, named, digest, media_type, artifact_type, platform, annotations })
    }

    /// What the layout calls it: a tag, or a name with one.
    pub fn reference(&self) -> Option<&str> {
        self.annotations.get(REFERENCE).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// What stands for a name of the image in it, and may be none.
    pub fn written_name(&self) -> Option<&str> {
        let name = self.annotations.get(NAME).map(String::as_str).filter(|text| !text.is_empty());
        name.or_else(|| self.reference().filter(|name| name.contains([':', '/']))).map(familiar)
    }

    /// The image's name in it, if it is one that engines take.
    pub fn name(&self) -> Option<ImageName> {
        self.written_name()?.parse().ok()
    }

    fn with_annotations(&self, more: BTreeMap<&str, String>) -> Result<Self> {
        self.edited(|fields| {
            let annotations = fields.entry("annotations").or_insert_with(|| json!({}));
            if !annotations.is_object() {
                *annotations = json!({});
            }
            for (key, value) in more {
                annotations[key] = json!(value);
            }
        })
    }

    fn edited(&self, edit: impl FnOnce(&mut Map<String, Value>)) -> Result<Self> {
        let internal = |error: String| Error::internal(error);
        let mut fields: Map<String, Value> =
            serde_json::from_str(self.raw.get()).map_err(|error| internal(error.to_string()))?;
        edit(&mut fields);
        let raw = serde_json::value::to_raw_value(&fields).map_err(|error| internal(error.to_string()))?;
        Self::read(raw).map_err(internal)
    }
}

fn annotations(name: &ImageName) -> BTreeMap<&'static str, String> {
    BTreeMap::from([(NAME, name.full()), (REFERENCE, name.tag().to_owned())])
}

/// Docker's short form of a full name.
fn familiar(name: &str) -> &str {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    short.strip_prefix("library/").filter(|rest| short.len() < name.len() && !rest.contains('/')).unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &[u8]) -> BlobDigest {
        BlobDigest::of(text)
    }

    fn index(entries: &str) -> LayoutIndex {
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#);
        LayoutIndex::read(&Document::new(text.into_bytes())).unwrap()
    }

    fn entry(text: &[u8], more: &str) -> String {
        format!(r#"{{"digest":"{}","size":1{more}}}"#, digest(text))
    }

    #[test]
    fn tags_and_names_are_told_apart() {
        for (annotations, reference, name) in [
            (r#"{"org.opencontainers.image.ref.name":"v2"}"#, Some("v2"), None),
            (
                r#"{"org.opencontainers.image.ref.name":"reg.example/app:v2"}"#,
                Some("reg.example/app:v2"),
                Some("reg.example/app:v2"),
            ),
            (
                r#"{"io.containerd.image.name":"docker.io/library/app:v3","org.opencontainers.image.ref.name":"v3"}"#,
                Some("v3"),
                Some("app:v3"),
            ),
            (r#"{"io.containerd.image.name":"not a name!"}"#, None, None),
            ("null", None, None),
            (r#"{"a":null}"#, None, None),
        ] {
            let index = index(&entry(b"a", &format!(r#","annotations":{annotations}"#)));
            let entry = index.of(digest(b"a")).next().unwrap();
            let expected = name.map(|name: &str| name.parse::<ImageName>().unwrap());
            assert_eq!((entry.reference(), entry.name()), (reference, expected), "{annotations}");
        }
    }

    #[test]
    fn what_no_program_reads_is_refused_by_name() {
        let entry = |more: &str| format!(r#"{{"manifests":[{}]}}"#, entry(b"a", more));
        for (text, expected) in [
            (entry(r#","annotations":{"a":1}"#), "the annotation `a` is no text"),
            (format!("\u{feff}{}", entry("")), "byte order mark"),
            (entry(r#","size":"9""#), "`size` is no number"),
            (r#"{"manifests":[null]}"#.to_owned(), "expected an object"),
            (r#"{"manifests":[{}]}"#.to_owned(), "`` is no digest"),
            (r#"{"manifests":7}"#.to_owned(), "`manifests` is no list"),
            ("[]".to_owned(), "expected an object"),
        ] {
            let error = LayoutIndex::read(&Document::new(text.clone().into_bytes())).unwrap_err().to_string();
            assert!(error.starts_with("index.json is not valid: ") && error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn what_go_reads_is_read() {
        let other = entry(b"a", r#","annotations":{"a":"b"}"#);
        for text in [
            format!(r#"{{"manifests":null,"Manifests":[{other}]}}"#),
            format!(
                r#"{{"manifests":[{}],"annotations":null}}"#,
                other.replace(r#""size":1"#, r#""size":-1,"size":0"#)
            ),
            format!(r#"{{"manifests":[{}]}}"#, other.replace(r#""size":1"#, r#""urls":null,"platform":null"#)),
        ] {
            let index = LayoutIndex::read(&Document::new(text.clone().into_bytes())).unwrap();
            assert_eq!(index.of(digest(b"a")).next().unwrap().annotations["a"], "b", "{text}");
        }
        assert!(LayoutIndex::read(&Document::new(&br#"{"manifests":null}"#[..])).unwrap().entries.is_empty());
        let odd = index(r#"{"digest":"sha512:00","size":1}"#);
        assert_eq!((odd.entries[0].named.as_str(), odd.entries[0].digest), ("sha512:00", None));
    }

    #[test]
    fn entries_are_written_as_they_were_found() {
        let first = entry(b"a", r#", "annotations": {"x":"y"},"z":[1,  2]"#);
        let index = index(&format!("{first},\n{}", entry(b"b", "")));
        let written = LayoutIndex::of_entries(index.of(digest(b"a")));
        assert!(String::from_utf8_lossy(written.bytes()).contains(&format!("[{first}]")));
    }

    #[test]
    fn a_new_name_and_another_document_leave_the_rest() {
        let index = index(&format!("{},{}", entry(b"a", r#","annotations":{"x":"y"},"z":7"#), entry(b"a", "")));
        let name: ImageName = "app:v9".parse().unwrap();
        let renamed = LayoutIndex::read(&index.renamed(digest(b"a"), &name).unwrap()).unwrap();
        assert_eq!((renamed.entries.len(), renamed.entries[0].name()), (1, Some(name)));
        assert_eq!(renamed.entries[0].annotations["x"], "y");
        let root = Root { media_type: "m".to_owned(), digest: digest(b"b"), size: 5, synthesised: true };
        let moved = LayoutIndex::read(&index.moved(digest(b"a"), &root).unwrap()).unwrap();
        assert_eq!(moved.of(digest(b"b")).count(), 2);
        assert_eq!(
            (moved.entries[0].media_type.as_str(), moved.entries[0].raw.get().contains(r#""z":7"#)),
            ("m", true)
        );
    }
}
