use serde_json::json;

use super::super::metadata::Stored;
use super::*;
use crate::error::Kind;

fn documents(texts: &[&[u8]]) -> Documents {
    texts.iter().map(|text| Document::new(text.to_vec())).map(|document| (document.digest(), document)).collect()
}

/// Metadata of one image with these documents.
fn listing(digests: &[BlobDigest]) -> Stored {
    let metadata = json!({
        "format": 1, "requires": [], "created_by": "", "method": "auto", "identity": "manifest", "compression": "",
        "level": 0, "bases": [], "layers": [], "members": [],
        "images": [{
            "names": [],
            "root": {"media_type": "", "digest": digests[0], "size": 0, "synthesised": false},
            "documents": digests, "manifests": [],
        }],
    });
    Stored::parse(&serde_json::to_vec(&metadata).unwrap()).unwrap()
}

/// What is wrong with a member that holds `plain`, where `texts` are listed.
fn said(texts: &[&[u8]], plain: &[u8]) -> String {
    let coded = mix::join(&[Segment::new(Model::Text, plain, None)]).unwrap();
    let digests: Vec<_> = documents(texts).into_keys().collect();
    let error = unpack(&listing(&digests), &coded).unwrap_err();
    assert_eq!(error.kind(), Kind::Content);
    error.to_string()
}

#[test]
fn documents_come_back_by_their_digests() {
    let all = documents(&[b"one", b"", b"a third"]);
    let packed = pack(&all).unwrap();
    assert_eq!(packed.name, "documents.mix");
    let mut coded = vec![0; usize::try_from(packed.bytes.len()).unwrap()];
    packed.bytes.read_exact_at(&mut coded, 0).unwrap();
    let digests: Vec<_> = all.keys().copied().collect();
    assert_eq!(unpack(&listing(&digests), &coded).unwrap(), all);
    let listed_twice: Vec<_> = digests.iter().chain(&digests).copied().collect();
    assert_eq!(unpack(&listing(&listed_twice), &coded).unwrap(), all);
    let mut with_index = listing(&digests[..2]);
    with_index.layout_index = Some(digests[2]);
    assert_eq!(unpack(&with_index, &coded).unwrap(), all);
}

#[test]
fn packed_document_bytes_are_joined_and_one_more_is_not() {
    let first = b"{}";
    let most = PACKED_DOCUMENT_BYTES - first.len() - 2 * LENGTH;
    assert_eq!(joined(&documents(&[first, &vec![b' '; most]])).unwrap().len(), PACKED_DOCUMENT_BYTES);
    assert!(joined(&documents(&[first, &vec![b' '; most + 1]])).is_none());
    assert!(pack(&documents(&[first, &vec![b' '; most + 1]])).is_none());
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    let length = |length: u32| length.to_le_bytes().to_vec();
    let text: &[u8] = b"text";
    for (plain, expected) in [
        (Vec::new(), "it is shorter than its documents"),
        (vec![4, 0, 0], "it is shorter than its documents"),
        (length(4), "it is shorter than its documents"),
        ([&length(4)[..], b"tex"].concat(), "it is shorter than its documents"),
        ([&length(u32::MAX)[..], text].concat(), "it is shorter than its documents"),
        ([&length(3)[..], text].concat(), "it does not hold the document sha256:"),
        ([&length(4)[..], b"tixt"].concat(), "it does not hold the document sha256:"),
        ([&length(4)[..], text, b"x"].concat(), "more follows behind its documents"),
    ] {
        let said = said(&[text], &plain);
        assert!(said.starts_with("the member documents.mix is damaged: ") && said.contains(expected), "{said}");
    }
}
