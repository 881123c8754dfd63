use delta_core::digest::ConfigDigest;
use delta_core::error::Kind;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::is_refused;

fn read(text: &str) -> Result<Vec<DockerEntry>> {
    match entries(&Document::new(text.as_bytes().to_vec()))? {
        DockerManifest::List(entries) => Ok(entries),
        DockerManifest::Single(_) => panic!("it is read as one manifest: {text}"),
    }
}

/// The only entry of a list of these fields.
fn one(entry: &Value) -> DockerEntry {
    let mut read = read(&json!([entry]).to_string()).unwrap();
    assert_eq!(read.len(), 1);
    read.remove(0)
}

fn names(entry: &DockerEntry) -> Vec<String> {
    entry.names.iter().map(ToString::to_string).collect()
}

#[test]
fn an_object_is_a_manifest_and_all_else_a_list() {
    for text in ["{", "{}", " \n\t\r {\"a\":1}", "{not even JSON"] {
        let document = Document::new(text.as_bytes().to_vec());
        let Ok(DockerManifest::Single(manifest)) = entries(&document) else { panic!("{text}") };
        assert_eq!(manifest, document);
    }
    assert!(read("[]").unwrap().is_empty() && read(" \n[ ]\n").unwrap().is_empty());
    for text in ["", " ", "null", "7", "\"text\"", "[{}", "[]]", "[null]", "[7]", "[[]]", "[\"Config\"]", "\u{feff}[]"]
    {
        is_refused(read(text), Kind::Content, &["manifest.json is not valid"]);
    }
}

#[test]
fn images_are_listed_up_to_their_limit() {
    let list = |count: usize| format!("[{}]", vec![r#"{"Config":"c"}"#; count].join(","));
    assert_eq!(read(&list(limits::IMAGES)).unwrap().len(), limits::IMAGES);
    is_refused(read(&list(limits::IMAGES + 1)), Kind::Content, &["manifest.json lists 4097 images"]);
}

#[test]
fn fields_may_be_absent_null_or_written_in_any_case_but_for_the_config() {
    for entry in [
        json!({"Config": "c"}),
        json!({"Config": "c", "RepoTags": null, "Layers": null}),
        json!({"config": "c", "REPOTAGS": [], "layers": []}),
        json!({"Config": "c", "Parent": "p", "LayerSources": {"a": 1}}),
    ] {
        let read = one(&entry);
        assert_eq!((read.config.as_str(), read.names.len(), read.layers.len()), ("c", 0, 0), "{entry}");
        assert_eq!(serde_json::from_str::<Value>(read.raw.get()).unwrap(), entry);
    }
    for (entry, words) in [
        (json!({}), "an entry without `Config`"),
        (json!({"Config": null}), "an entry without `Config`"),
        (json!({"Config": 7}), "`Config`: invalid type"),
        (json!({"Config": ["c"]}), "`Config`: invalid type"),
        (json!({"Config": "c", "RepoTags": "app"}), "`RepoTags`: invalid type"),
        (json!({"Config": "c", "RepoTags": [7]}), "`RepoTags`: invalid type"),
        (json!({"Config": "c", "Layers": {}}), "`Layers`: invalid type"),
        (json!({"Config": "c", "Layers": [[]]}), "`Layers`: invalid type"),
    ] {
        is_refused(read(&json!([entry]).to_string()), Kind::Content, &["manifest.json is not valid", words]);
        // One bad entry makes the list one that cannot be believed.
        is_refused(read(&json!([{"Config": "c"}, entry]).to_string()), Kind::Content, &[words]);
    }
}

#[test]
fn layers_keep_their_order_and_their_number() {
    let entry = one(&json!({"Config": "c", "Layers": ["b", "a", "b", null, ""]}));
    assert_eq!(entry.layers, ["b", "a", "b", "", ""]);
}

#[test]
fn tags_are_names_no_names_or_odd_ones() {
    let tags = json!([
        "app:v1",
        "",
        "<none>:<none>",
        null,
        "docker.io/library/app:v1",
        "registry.example:5000/app:v1",
        "UPPER",
        "app:v1",
        "<none>",
        "other",
    ]);
    let entry = one(&json!({"Config": "c", "RepoTags": tags}));
    assert_eq!(names(&entry), ["app:v1", "registry.example:5000/app:v1", "other:latest"]);
    assert_eq!(entry.odd_names, ["UPPER", "<none>"]);
}

#[test]
fn an_entry_is_that_of_its_config_by_the_end_of_its_path() {
    let (digest, other) = (BlobDigest::of(b"config"), BlobDigest::of(b"other"));
    let hex = digest.hex();
    for path in [hex.clone(), format!("{hex}.json"), format!("blobs/sha256/{hex}"), format!("/a/{hex}.json")] {
        let entry = one(&json!({"Config": path}));
        assert!(entry.is_of(digest) && !entry.is_of(other), "{path}");
    }
    for path in [
        String::new(),
        hex[1..].to_owned(),
        format!("{hex}/config"),
        format!("{hex}.jso"),
        format!("x{hex}"),
        format!("sha256:{hex}"),
        hex.to_uppercase(),
    ] {
        assert!(!one(&json!({"Config": path})).is_of(digest), "{path}");
    }
    let listed = read(&json!([{"Config": "x"}, {"Config": hex}, {"Config": format!("{hex}.json")}]).to_string());
    let listed = listed.unwrap();
    assert_eq!(entry_of(&listed, digest).unwrap().config, hex, "the first of two");
    assert!(entry_of(&listed, other).is_none());
    let config: ConfigDigest = digest.to_string().parse().unwrap();
    assert!(entry_of(&listed, config.into()).is_some());
}

#[test]
fn entries_are_picked_by_name_or_place() {
    let listed = read(
        &json!([
            {"Config": "0", "RepoTags": ["app:v1", "app:latest"]},
            {"Config": "1"},
            {"Config": "2", "RepoTags": ["app:v2", "docker.io/library/app:v1"]},
        ])
        .to_string(),
    )
    .unwrap();
    for (text, expected) in [
        (None, "012"),
        (Some("app:v1"), "02"),
        (Some("docker.io/library/app:v2"), "2"),
        (Some("app"), "0"),
        (Some("@0"), "0"),
        (Some("@1"), "1"),
        (Some("@2"), "2"),
        (Some("@3"), ""),
        (Some("v1"), ""),
        (Some(""), ""),
        (Some("1"), ""),
    ] {
        let picked: String =
            picked(&listed, &Pick::from(text)).into_iter().map(|entry| entry.config.as_str()).collect();
        assert_eq!(picked, expected, "{text:?}");
    }
}

#[test]
fn every_cut_of_a_list_is_refused() {
    let text = json!([{"Config": "c", "RepoTags": ["app:v1"], "Layers": ["a", "b"]}]).to_string();
    for length in 1..text.len() {
        is_refused(read(&text[..length]), Kind::Content, &["manifest.json is not valid"]);
    }
}
