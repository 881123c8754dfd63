//! What goes with an image that was picked.

use super::*;

/// A layout of an image that is tagged `v1`, another that is tagged `v2`, and what is said to be about something.
fn around(about: impl FnOnce(&mut Kit, &Value) -> Vec<Value>) -> Kit {
    let mut kit = Kit::default();
    let (image, other) = (kit.image(b"layer"), kit.image(b"another"));
    let about = about(&mut kit, &image);
    kit.index = [vec![tagged(&image, "v1"), tagged(&other, "v2")], about].concat();
    kit
}

/// A manifest about what `subject` points to; `name` lets it be another than others.
fn referrer(kit: &mut Kit, subject: &Value, name: &str) -> Value {
    let config = kit.blob("application/vnd.oci.empty.v1+json", b"{}");
    let layer = kit.blob("text/plain", name.as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/of.tests",
        "config": config,
        "layers": [layer],
        "subject": subject,
    });
    kit.document(OCI_MANIFEST, &manifest)
}

/// How many images come where `v1` is asked for.
#[track_caller]
fn comes_with(kit: &Kit, count: usize) {
    let images = kit.images(Some("v1"));
    assert_eq!(images.len(), 1 + count);
    assert_eq!(listed(&images[0]).len(), 1 + count);
    assert!(images[1..].iter().all(|image| image.is_artifact() || image.names.is_empty()));
    // The other image has nothing beside it.
    assert_eq!(kit.images(Some("v2")).len(), 1);
}

#[test]
fn what_has_an_image_for_its_subject_goes_with_it_and_so_does_what_is_about_that() {
    comes_with(&around(|_, _| Vec::new()), 0);
    comes_with(&around(|kit, image| vec![referrer(kit, image, "signature")]), 1);
    comes_with(
        &around(|kit, image| {
            let first = referrer(kit, image, "first");
            let second = referrer(kit, &first, "second");
            // What is about something comes before it as well.
            vec![referrer(kit, &second, "third"), second, first]
        }),
        3,
    );
    comes_with(
        &around(|kit, _| {
            let nothing = pointer(OCI_MANIFEST, b"somewhere else");
            vec![referrer(kit, &nothing, "of another")]
        }),
        0,
    );
}

#[test]
fn what_is_about_one_platform_of_an_image_goes_with_the_image() {
    let mut kit = Kit::default();
    let platform = kit.image(b"layer");
    let index = kit.index_of(std::slice::from_ref(&platform));
    let about = referrer(&mut kit, &platform, "of the platform");
    kit.index = vec![tagged(&index, "v1"), about];
    assert_eq!(kit.images(Some("v1")).len(), 2);
}

#[test]
fn a_tag_of_a_digest_says_what_an_entry_is_about() {
    for (tag, count) in [
        ("sha256-DIGITS", 1),
        ("sha256-DIGITS.sig", 1),
        ("sha256-DIGITS.att.more", 1),
        ("registry.example/app:sha256-DIGITS.sbom", 1),
        ("sha256:DIGITS", 0),
        ("sha256-DIGITSsig", 0),
        ("DIGITS.sig", 0),
        ("sha256-.sig", 0),
    ] {
        comes_with(
            &around(|kit, image| {
                let digits = digest_of(image).hex();
                let odd = pointer("", b"nowhere");
                let about = referrer(kit, &odd, "x");
                vec![tagged(&about, &tag.replace("DIGITS", &digits))]
            }),
            count,
        );
    }
}

#[test]
fn what_cosign_saves_belongs_to_the_image_that_it_saved() {
    let image_kind = json!({"kind": "dev.cosignproject.cosign/image"});
    for (kind, is_cosign, count) in [
        ("dev.cosignproject.cosign/sigs", true, 1),
        ("dev.cosignproject.cosign/atts", true, 1),
        ("dev.cosignproject.cosign/image", true, 0),
        ("dev.cosignproject.cosign/sigs", false, 0),
    ] {
        let mut kit = Kit::default();
        let image = kit.image(b"layer");
        let nowhere = pointer("", b"nowhere");
        let about = referrer(&mut kit, &nowhere, "x");
        let mut entry = with(&image, if is_cosign { image_kind.clone() } else { json!({}) });
        entry["annotations"]["org.opencontainers.image.ref.name"] = json!("v1");
        kit.index = vec![entry, with(&about, json!({"kind": kind}))];
        assert_eq!(kit.images(Some("v1")).len(), 1 + count, "{kind} {is_cosign}");
    }
}

#[test]
fn a_companion_that_is_no_image_is_left_out_without_a_word() {
    let kit = around(|kit, image| {
        let lost = referrer(kit, image, "lost");
        kit.remove(&lost);
        vec![tagged(&lost, &format!("sha256-{}.sig", digest_of(image).hex()))]
    });
    comes_with(&kit, 0);
}
