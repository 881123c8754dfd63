use super::*;

fn label() -> PackageLabel {
    let digest = BlobDigest::of(b"image");
    PackageLabel {
        subject: Some(Target { media_type: OCI_MANIFEST.to_owned(), digest, size: 7 }),
        package: BlobDigest::of(b"package"),
        size: 9,
        file: "app.ddelta".to_owned(),
        signature: Some(SignatureBlob::of(b"signature")),
        images: vec!["app:v2".to_owned()],
        platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
        bases: vec!["app:v1".to_owned()],
        base_manifests: vec![BlobDigest::of(b"base")],
        needs: [b"a", b"b"].map(|layer| mark(&DiffId::of(layer))).into(),
    }
}

#[test]
fn a_manifest_says_what_was_said_of_the_package() {
    let full = label();
    let bare = PackageLabel {
        subject: None,
        signature: None,
        images: Vec::new(),
        platforms: Vec::new(),
        bases: Vec::new(),
        base_manifests: Vec::new(),
        needs: BTreeSet::new(),
        ..label()
    };
    for label in [full, bare] {
        let document = label.document().unwrap();
        assert_eq!(PackageLabel::read(&document).unwrap(), label);
        assert_eq!(document.bytes(), label.document().unwrap().bytes());
        assert_eq!(read_about(&document).artifact_type.as_deref(), Some(ARTIFACT_TYPE));
        assert_eq!(read_about(&document).subject, label.subject.map(|target| target.digest));
    }
}

#[test]
fn the_format_is_the_document() {
    let document = include_str!("../../../../../../FORMAT.md");
    let ending = format!("NAME{SIGNATURE_ENDING}");
    for word in
        [ARTIFACT_TYPE, PACKAGE, SIGNATURE, &ending, OCI_EMPTY, TITLE, IMAGES, PLATFORMS, BASES, BASE_MANIFESTS, NEEDS]
    {
        assert!(document.contains(&format!("`{word}`")), "{word}");
    }
    assert!(document.contains(&format!("the first {MARK_DIGITS} hexadecimal digits")));
    let text = String::from_utf8(label().document().unwrap().bytes().to_vec()).unwrap();
    let said = text.matches("vnd.docker-delta.").count();
    assert_eq!(said, document.matches("| `vnd.docker-delta.").count() + 3, "{text}");
}

#[test]
fn what_does_not_say_what_it_needs_is_not_chosen() {
    let text = String::from_utf8(label().document().unwrap().bytes().to_vec()).unwrap();
    for (from, to) in [
        (ARTIFACT_TYPE, "application/vnd.example"),
        (PACKAGE, "text/plain"),
        (NEEDS, "vnd.docker-delta.other"),
        ("\"size\":9", "\"size\":-9"),
        (SIGNATURE, "text/plain"),
        ("\"digest\":\"sha256:", "\"digest\":\"sha255:"),
        ("\"layers\":[", "\"layers\":[],\"others\":["),
        ("\"vnd.docker-delta.needs\":\"", "\"vnd.docker-delta.needs\":\"sha256:"),
        ("\"vnd.docker-delta.base-manifests\":\"", "\"vnd.docker-delta.base-manifests\":\"x"),
    ] {
        assert!(text.contains(from), "{from}");
        let document = Document::new(text.replace(from, to).into_bytes());
        assert!(PackageLabel::read(&document).is_err(), "{from} {to}");
    }
    assert!(PackageLabel::read(&Document::new(&b"[]"[..])).is_err());
}

#[test]
fn a_package_fits_where_all_is_that_it_needs() {
    let marks = |layers: &[&[u8]]| layers.iter().map(|layer| mark(&DiffId::of(layer))).collect();
    assert!(label().fits(&marks(&[b"a", b"b", b"c"])));
    for too_few in [&[b"a" as &[u8]][..], &[b"c"], &[]] {
        assert!(!label().fits(&marks(too_few)));
    }
    let [base, other] = [b"base", b"else"].map(|manifest| BlobDigest::of(manifest));
    assert!(label().is_made_against(&[base, other].into()));
    assert!(!label().is_made_against(&[other].into()));
    assert!(!PackageLabel { base_manifests: Vec::new(), ..label() }.is_made_against(&[base].into()));
    let platform = |text: &str| [text.parse().unwrap()];
    assert!(label().brings(&[]) && label().brings(&platform("linux/arm64")));
    assert!(!label().brings(&platform("linux/riscv64")));
}

/// The manifest of the label above with one of its texts exchanged.
fn with(from: &str, to: &str) -> Result<PackageLabel> {
    let text = String::from_utf8(label().document().unwrap().bytes().to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    PackageLabel::read(&Document::new(text.replacen(from, to, 1).into_bytes()))
}

#[test]
fn what_is_wrong_with_a_manifest_is_told() {
    let package = format!(r#"[{{"mediaType":"{PACKAGE}""#);
    let signature = format!(r#",{{"mediaType":"{SIGNATURE}""#);
    let expected = "expected a package, and a signature or none, found blobs: ";
    for (from, to, told) in [
        (
            r#""artifactType":"application/vnd"#,
            r#""artifactType":"application/x"#,
            "its artifactType is not application/vnd".to_owned(),
        ),
        (&package, r#"[{"mediaType":"text/plain""#, format!("expected a blob of the type {PACKAGE}, found text/plain")),
        (&signature, r#",{"mediaType":"text/plain""#, format!("{expected}{PACKAGE}, text/plain")),
        (r#""layers":["#, r#""layers":[],"others":["#, format!("{expected}none")),
        (r#""size":9"#, r#""size":-9"#, "invalid value".to_owned()),
        (r#""size":9"#, r#""size":18446744073709551616"#, "invalid".to_owned()),
        (r#""schemaVersion":2"#, r#""schemaVersion":"2""#, "invalid type".to_owned()),
    ] {
        let error = with(from, to).unwrap_err();
        assert!(error.to_string().contains(" is no package's manifest: "), "{error}");
        assert!(error.to_string().contains(&told), "{to}: {error}");
        assert_eq!(error.kind(), delta_core::error::Kind::Content);
    }
}

#[test]
fn a_signature_stands_behind_its_package_and_there_is_one() {
    let text = String::from_utf8(label().document().unwrap().bytes().to_vec()).unwrap();
    let layers = text.split_once(r#""layers":["#).unwrap().1.split_once(r#"],"subject""#).unwrap().0;
    let (package, signature) = layers.split_once("},{\"mediaType\"").unwrap();
    let (package, signature) = (format!("{package}}}"), format!("{{\"mediaType\"{signature}"));
    assert!(with(layers, &format!("{package},{signature}")).unwrap().signature.is_some());
    assert!(with(layers, &package).unwrap().signature.is_none());
    for wrong in [
        format!("{signature},{package}"),
        format!("{package},{package}"),
        format!("{package},{signature},{signature}"),
        signature.clone(),
    ] {
        assert!(with(layers, &wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_a_package_needs_is_so_many_digits_of_each_layer() {
    let needs = |words: &str| {
        let said = label().needs.into_iter().collect::<Vec<_>>().join(" ");
        with(&format!(r#""vnd.docker-delta.needs":"{said}""#), &format!(r#""vnd.docker-delta.needs":"{words}""#))
    };
    let mark = "0123456789abcdef";
    assert!(needs("").unwrap().needs.is_empty());
    assert_eq!(needs(mark).unwrap().needs, [mark.to_owned()].into());
    assert_eq!(needs(&format!("  {mark}   {mark}  ")).unwrap().needs.len(), 1);
    for wrong in [&mark[1..], "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg", "0123456789abcde,", "x"] {
        let error = needs(wrong).unwrap_err();
        assert!(error.to_string().ends_with("does not say which layers it needs"), "{wrong}: {error}");
        assert!(needs(&format!("{mark} {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn bases_are_named_by_whole_digests() {
    let base = BlobDigest::of(b"base").to_string();
    for (words, count) in [
        (String::new(), Some(0)),
        (format!("{base} {base}"), Some(2)),
        (base[..70].to_owned(), None),
        ("app:v1".to_owned(), None),
    ] {
        let found = with(&format!(r#"base-manifests":"{base}""#), &format!(r#"base-manifests":"{words}""#));
        assert_eq!(found.ok().map(|label| label.base_manifests.len()), count, "{words}");
    }
}

#[test]
fn all_platforms_that_are_wanted_must_be_brought() {
    let platforms = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect::<Vec<Platform>>();
    let of = |said: &[&str]| PackageLabel { platforms: said.iter().map(ToString::to_string).collect(), ..label() };
    let both = of(&["linux/amd64", "linux/arm64"]);
    assert!(both.brings(&platforms(&["linux/arm64", "linux/amd64"])));
    assert!(!both.brings(&platforms(&["linux/amd64", "linux/riscv64"])));
    // One that does not say it may bring any.
    assert!(of(&[]).brings(&platforms(&["linux/riscv64"])));
}
