use delta_core::error::Kind;
use delta_core::job::progress::Silent;
use serde_json::{Value, json};

use super::label::EMPTY;
use super::*;
use crate::registry::access::Access;
use crate::registry::scripted::{Reply, Server, access, scratch};

/// The manifest of a package of so many bytes, with these annotations besides that it needs nothing.
fn manifest(size: u64, annotations: &[(&str, &str)]) -> Value {
    let digest = BlobDigest::of(EMPTY);
    let kind = "application/vnd.docker-delta.package.v1+tar";
    let mut manifest = json!({
        "schemaVersion": 2, "artifactType": ARTIFACT_TYPE,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": 2},
        "layers": [{"mediaType": kind, "digest": digest, "size": size, "annotations": {TITLE: "app.ddelta"}}],
        "annotations": {"vnd.docker-delta.needs": ""},
    });
    for (name, value) in annotations {
        manifest["annotations"][format!("vnd.docker-delta.{name}")] = (*value).into();
    }
    manifest
}

const TITLE: &str = "org.opencontainers.image.title";

fn stored(manifest: &Value) -> StoredPackage {
    let document = Document::new(manifest.to_string().into_bytes());
    StoredPackage { manifest: document.digest(), label: PackageLabel::read(&document).unwrap() }
}

fn package(size: u64, platforms: &str) -> StoredPackage {
    stored(&manifest(size, &[("platforms", platforms)]))
}

fn offer(packages: Vec<StoredPackage>) -> Offer {
    let access = Access { plain_http: false, ..access() };
    let address = "docker://registry.example/app:v2".parse().unwrap();
    let repository = Registries::new(access, Arc::new(Silent)).repository(&address).unwrap();
    Offer { repository, target: None, document: None, packages, odd: Vec::new() }
}

/// What asks this server, and nobody else.
fn registries(server: &Server) -> (Registries, Address) {
    let address = format!("docker://{}/app:v2", server.host()).parse().unwrap();
    (Registries::new(access(), Arc::new(Silent)), address)
}

#[test]
fn an_engine_gets_a_package_for_its_platform_where_there_is_one() {
    let engine: Platform = "linux/amd64".parse().unwrap();
    let both = offer(vec![package(1, "linux/arm64"), package(2, "linux/amd64 linux/arm64")]);
    let platforms = both.platforms_for(&engine);
    assert_eq!(platforms, std::slice::from_ref(&engine));
    assert_eq!(both.choose(&Held::default(), &platforms).map(StoredPackage::size), Some(2));
    assert_eq!(both.choose(&Held::default(), &[]).map(StoredPackage::size), Some(1));
    // An image for another machine is meant, where it is for that alone; and what says nothing does for all.
    let other = offer(vec![package(1, "linux/arm64")]);
    assert_eq!(other.platforms_for(&engine), []);
    let unsaid = offer(vec![package(1, ""), package(2, "linux/amd64")]);
    assert_eq!(unsaid.choose(&Held::default(), &unsaid.platforms_for(&engine)).map(StoredPackage::size), Some(1));
}

#[test]
fn the_smallest_package_is_chosen_of_which_all_is_here_that_it_needs() {
    let [layer, other] = [&b"layer"[..], b"other"].map(DiffId::of);
    let needing = |size, layer: &DiffId| stored(&manifest(size, &[("needs", &label::mark(layer))]));
    let offer = offer(vec![needing(1, &other), needing(2, &layer), package(3, "")]);
    let chosen = |layers: &[DiffId]| {
        let held = Held { layers: layers.iter().copied().collect(), images: BTreeSet::new() };
        offer.choose(&held, &[]).map(StoredPackage::size)
    };
    assert_eq!(chosen(&[other, layer]), Some(1));
    assert_eq!(chosen(&[layer]), Some(2));
    assert_eq!(chosen(&[]), Some(3));
    assert_eq!(chosen(&[DiffId::of(b"else")]), Some(3));
}

#[test]
fn a_package_fits_where_the_images_are_that_it_was_made_against() {
    let base = BlobDigest::of(b"base");
    let mark = label::mark(&DiffId::of(b"a layer that no engine lists"));
    let package = stored(&manifest(1, &[("needs", &mark), ("base-manifests", &base.to_string())]));
    let held = |images: &[BlobDigest]| Held { layers: BTreeSet::new(), images: images.iter().copied().collect() };
    assert!(package.fits(&held(&[base]), &[]));
    assert!(!package.fits(&held(&[BlobDigest::of(b"else")]), &[]) && !package.fits(&held(&[]), &[]));
}

#[test]
fn that_nothing_fits_is_told_with_what_would() {
    let address: Address = "docker://registry.example/app:v2".parse().unwrap();
    let mark = label::mark(&DiffId::of(b"layer"));
    let none = offer(Vec::new());
    let error = Offer { odd: vec!["one is odd".to_owned()], ..none }.nothing_fits(&address, &[]);
    assert_eq!(error.to_string(), "no package of docker_delta hangs on registry.example/app:v2; one is odd");
    assert!(error.hint().unwrap().ends_with("docker_delta push PACKAGE docker://registry.example/app:v2"));
    let packages = vec![
        stored(&manifest(1, &[("needs", &mark), ("bases", "app:v0 app:v1")])),
        stored(&manifest(2, &[("needs", &mark), ("platforms", "linux/arm64")])),
        package(3, "linux/arm64 linux/riscv64"),
    ];
    let error = offer(packages).nothing_fits(&address, &["linux/amd64".parse().unwrap()]);
    assert_eq!(
        error.to_string(),
        "no package for registry.example/app:v2 fits what is here: app.ddelta (1 bytes) needs app:v0, app:v1; \
         app.ddelta (2 bytes) for linux/arm64 needs layers of an image without a name; \
         app.ddelta (3 bytes) for linux/arm64, linux/riscv64 needs no base"
    );
    assert_eq!((error.kind(), error.hint().is_some()), (Kind::Environment, true));
}

/// The manifest of a package with a signature of this digest and size beside it.
fn with_signature(digest: BlobDigest, size: u64) -> StoredPackage {
    let mut manifest = manifest(1, &[]);
    let signature = json!({"mediaType": "application/vnd.docker-delta.signature.v1", "digest": digest, "size": size});
    manifest["layers"].as_array_mut().unwrap().push(signature);
    stored(&manifest)
}

#[test]
fn a_signature_is_fetched_and_compared() {
    let digest = BlobDigest::of(b"signature");
    let fetch = |server: &Server, package: &StoredPackage| {
        let (registries, _) = registries(server);
        let offer = Offer { repository: server.repository(), ..offer(Vec::new()) };
        registries.fetch_signature(&offer, package)
    };
    let giving = |body: &str| Server::script(vec![Reply::new(200, "", body)]);
    let signed = with_signature(digest, 9);
    assert!(signed.has_signature());
    assert_eq!(fetch(&giving("signature"), &signed).unwrap().as_deref(), Some(&b"signature"[..]));
    let error = fetch(&giving("signatura"), &signed).unwrap_err();
    assert!(
        error.to_string().ends_with(&format!("expected {digest}, found {}", BlobDigest::of(b"signatura"))),
        "{error}"
    );
    assert_eq!(error.kind(), Kind::Content);
    let server = Server::script(vec![Reply::new(404, "", "")]);
    let error = fetch(&server, &signed).unwrap_err();
    assert!(error.to_string().ends_with("is not there"), "{error}");
    assert_eq!(error.kind(), Kind::Environment);
    // One that is longer than any is not asked for, and a package without one asks for nothing.
    let server = giving("signature");
    let error = fetch(&server, &with_signature(digest, KEY_FILE_BYTES + 1)).unwrap_err();
    assert!(error.to_string().ends_with("has 65537 bytes, where at most 65536 are read"), "{error}");
    assert_eq!(fetch(&server, &package(1, "")).unwrap(), None);
    assert!(server.asked().is_empty());
    assert!(fetch(&server, &with_signature(digest, KEY_FILE_BYTES)).is_ok());
}

#[test]
fn bases_are_looked_for_by_digest_and_by_tag_and_not_without_end() {
    let digests: Vec<String> = (0..100_u64).map(|number| BlobDigest::of(&number.to_le_bytes()).to_string()).collect();
    let names: Vec<String> = (0..100).map(|number| format!("app:v{number:03}")).collect();
    let package = stored(&manifest(1, &[("base-manifests", &digests.join(" ")), ("bases", &names.join(" "))]));
    let server = Server::script(vec![Reply::new(404, "", "")]);
    let (registries, address) = registries(&server);
    let found = registries.base_images(&offer(vec![package]), &address, &scratch());
    assert!(found.is_empty());
    let expected = |names: &[String]| -> Vec<String> {
        names[..64].iter().map(|name| format!("GET /v2/app/manifests/{name}")).collect()
    };
    let tags: Vec<String> = names.iter().map(|name| name.replace("app:", "")).collect();
    let expected = [expected(&digests), expected(&tags)].concat();
    assert_eq!(server.lines(), expected);
}

#[test]
fn a_name_that_is_a_digest_is_no_tag() {
    let digest = BlobDigest::of(b"base").to_string();
    let package = stored(&manifest(1, &[("bases", &format!("{digest} NoName other.example/app:v7"))]));
    let server = Server::script(vec![Reply::new(404, "", "")]);
    let (registries, address) = registries(&server);
    registries.base_images(&offer(vec![package]), &address, &scratch());
    assert_eq!(server.lines(), ["GET /v2/app/manifests/v7"]);
}

/// A registry of these documents by tag and digest, and with a list of what hangs on an image.
fn serving(documents: Vec<(&str, Value)>, listed: (BlobDigest, Vec<Value>)) -> Server {
    let texts: Vec<(String, String)> =
        documents.into_iter().map(|(tag, document)| (tag.to_owned(), document.to_string())).collect();
    let (subject, entries) = listed;
    let index = json!({"schemaVersion": 2, "manifests": entries}).to_string();
    Server::start(move |asked| {
        let name = asked.path.rsplit('/').next().unwrap();
        if asked.path.contains("/referrers/") {
            return Reply::new(200, "", if name.starts_with(&subject.to_string()) { &index } else { "{}" });
        }
        let is_it =
            |(tag, text): &&(String, String)| tag == name || BlobDigest::of(text.as_bytes()).to_string() == name;
        match texts.iter().find(is_it) {
            Some((_, text)) => Reply::new(200, "", text),
            None => Reply::new(404, "", ""),
        }
    })
}

fn digest_of(document: &Value) -> BlobDigest {
    BlobDigest::of(document.to_string().as_bytes())
}

fn image() -> Value {
    json!({
        "schemaVersion": 2, "layers": [],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": BlobDigest::of(b"config"), "size": 6},
    })
}

fn about(mut package: Value, subject: BlobDigest) -> Value {
    package["subject"] = json!({"mediaType": "a/b", "digest": subject, "size": 3});
    package
}

fn entry(document: &Value) -> Value {
    json!({"mediaType": "a/b", "digest": digest_of(document), "size": 7, "artifactType": ARTIFACT_TYPE})
}

#[test]
fn packages_are_found_from_the_image_from_one_of_them_and_by_their_digest_alone() {
    let image = image();
    let target = digest_of(&image);
    let (large, small) = (about(manifest(9, &[]), target), about(manifest(5, &[]), target));
    let stray = about(manifest(1, &[]), BlobDigest::of(b"another image"));
    let broken = json!({
        "schemaVersion": 2, "artifactType": ARTIFACT_TYPE, "layers": [],
        "config": {"mediaType": "a/b", "digest": BlobDigest::of(b"{}"), "size": 2},
    });
    let gone = json!({"never": "there"});
    let listed = [&large, &small, &stray, &broken, &gone].map(entry).to_vec();
    let documents =
        vec![("v2", image), ("package", large.clone()), ("b", small.clone()), ("c", stray.clone()), ("d", broken)];
    let server = serving(documents, (target, listed));
    let (registries, address) = registries(&server);
    for tag in ["v2", "package"] {
        let offer = registries.packages(&address.with_tag(tag)).unwrap();
        let sizes: Vec<u64> = offer.packages.iter().map(StoredPackage::size).collect();
        assert_eq!((sizes, offer.target), (vec![5, 9], Some(target)), "{tag}");
        assert_eq!(offer.odd.len(), 2, "{:?}", offer.odd);
        assert_eq!(offer.odd[0], format!("{} is about another image", digest_of(&stray).short()));
        assert!(
            offer.odd[1].contains("expected a package, and a signature or none, found blobs: none"),
            "{:?}",
            offer.odd
        );
        assert_eq!(registries.configs(&offer).unwrap().len(), usize::from(tag == "v2"));
    }
    let offer = registries.packages(&address.with_digest(digest_of(&large))).unwrap();
    assert_eq!(offer.packages.iter().map(StoredPackage::digest).collect::<Vec<_>>(), [digest_of(&large)]);
    assert_eq!((offer.target, offer.odd.len()), (Some(target), 0));
    assert!(registries.is_named(&address, target).unwrap());
    assert!(!registries.is_named(&address.with_tag("package"), target).unwrap());
    assert!(!registries.is_named(&address.with_tag("none"), target).unwrap());
}

#[test]
fn the_configs_of_so_many_platforms_are_looked_at() {
    let image = image();
    let mut images = Vec::new();
    for number in 0..MOST_PLATFORMS + 6 {
        let mut other = image.clone();
        other["config"]["digest"] = json!(BlobDigest::of(&number.to_le_bytes()));
        images.push(other);
    }
    let entries: Vec<Value> =
        images.iter().map(|image| json!({"mediaType": "a/b", "digest": digest_of(image), "size": 3})).collect();
    let index = json!({"schemaVersion": 2, "manifests": entries});
    let documents = images.into_iter().map(|image| ("some", image)).chain([("v2", index.clone())]).collect();
    let server = serving(documents, (digest_of(&index), Vec::new()));
    let (registries, address) = registries(&server);
    let offer = registries.packages(&address).unwrap();
    let expected: Vec<BlobDigest> = (0..MOST_PLATFORMS).map(|number| BlobDigest::of(&number.to_le_bytes())).collect();
    assert_eq!(registries.configs(&offer).unwrap(), expected);
}
