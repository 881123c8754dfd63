use std::path::Path;

use delta_codec::MemoryScratch;
use delta_core::error::Kind;
use delta_core::job::progress::Silent;
use delta_core::package::Closed;
use serde_json::{Value, json};

use super::*;
use crate::registry::keeping::Registry;
use crate::registry::scripted::{Reply, access};

/// A package of testdata/golden.
struct Golden {
    bytes: Arc<dyn ReadAt>,
    package: Package,
}

impl Golden {
    /// One of one image.
    fn open() -> Self {
        Self::named("documents.ddelta")
    }

    fn named(name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/v1/accept").join(name);
        let bytes: Arc<dyn ReadAt> = Arc::new(std::fs::read(file).unwrap());
        let package = Closed::read(bytes.clone(), &MemoryScratch).unwrap().open().unwrap();
        Self { bytes, package }
    }

    fn plan(&self, registry: &Registry, to: &str, options: (Option<&[u8]>, bool)) -> Result<PlannedPush> {
        let (signature, force) = options;
        let file = PackageFile { name: "app.ddelta", bytes: &self.bytes, signature };
        Registries::new(access(), Arc::new(Silent)).plan_push(&self.package, file, &registry.address(to), force)
    }

    fn push(&self, registry: &Registry, to: &str, options: (Option<&[u8]>, bool)) -> Result<PlannedPush> {
        let planned = self.plan(registry, to, options)?;
        planned.carry_out()?;
        Ok(planned)
    }
}

/// Puts another document under a tag.
fn name(registry: &Registry, tag: &str, document: &Value) -> BlobDigest {
    let bytes = document.to_string().into_bytes();
    let digest = BlobDigest::of(&bytes);
    let mut kept = registry.kept.lock().unwrap();
    for name in [tag.to_owned(), digest.to_string()] {
        kept.manifests.insert(("app".to_owned(), name), bytes.clone());
    }
    digest
}

/// The manifest of a package about this image.
fn package_about(subject: BlobDigest) -> Value {
    let config = json!({"mediaType": "a/b", "digest": BlobDigest::of(b"{}").to_string(), "size": 2});
    let subject = json!({"mediaType": "a/b", "digest": subject.to_string(), "size": 1});
    json!({"schemaVersion": 2, "artifactType": ARTIFACT_TYPE, "config": config, "layers": [], "subject": subject})
}

#[test]
fn a_package_is_written_blob_by_blob_then_its_manifest_then_its_tag() {
    let (golden, registry) = (Golden::open(), Registry::sound());
    let planned = golden.push(&registry, "app:delta", (Some(b"signature"), false)).unwrap();
    assert_eq!(registry.written(), ["blob", "blob", "blob", &planned.digest().to_string(), "delta"]);
    assert_eq!(planned.lacking_bytes(), golden.bytes.len() + 9);
    assert_eq!((planned.size(), planned.is_there(), planned.has_target()), (golden.bytes.len(), false, false));
    let host = registry.server.host();
    assert_eq!(planned.name(), format!("{host}/app@{}", planned.digest()));
    assert_eq!(planned.found_by(), Some(format!("{host}/app:delta")));
    let blobs = &registry.kept.lock().unwrap().blobs;
    let sizes: Vec<usize> = blobs.values().map(Vec::len).collect();
    assert!(sizes.contains(&9) && sizes.contains(&2) && sizes.len() == 3, "{sizes:?}");
}

#[test]
fn what_is_there_is_not_written_again_unless_it_is_forced() {
    let (golden, registry) = (Golden::open(), Registry::sound());
    golden.push(&registry, "app:delta", (None, false)).unwrap();
    // It hangs on its image by the list, which this registry does not keep.
    let digest = golden.plan(&registry, "app:delta", (None, false)).unwrap().digest();
    let target = golden.plan(&registry, "app:delta", (None, false)).unwrap().target().unwrap();
    let list = json!({"schemaVersion": 2, "manifests": [
        {"mediaType": "a/b", "digest": digest.to_string(), "size": 1, "artifactType": ARTIFACT_TYPE},
    ]});
    name(&registry, &format!("sha256-{}", target.hex()), &list);
    let before = registry.written().len();
    let planned = golden.push(&registry, "app:delta", (None, false)).unwrap();
    assert!(planned.is_there() && planned.lacking_bytes() == 0);
    assert_eq!(registry.written().len(), before);
    // A signature beside it makes another manifest, and the package stays.
    let planned = golden.push(&registry, "app", (Some(b"signature"), false)).unwrap();
    assert_eq!((planned.lacking_bytes(), planned.found_by()), (9, None));
    assert_eq!(registry.written()[before..], ["blob".to_owned(), planned.digest().to_string()]);
    let before = registry.written().len();
    let planned = golden.push(&registry, "app", (None, true)).unwrap();
    assert_eq!(planned.lacking_bytes(), golden.bytes.len());
    assert_eq!(registry.written()[before..], ["blob".to_owned(), planned.digest().to_string()]);
}

#[test]
fn nothing_but_a_package_is_replaced_and_that_only_by_force() {
    let (golden, other) = (Golden::open(), BlobDigest::of(b"another image"));
    let registry = Registry::sound();
    let target = golden.plan(&registry, "app", (None, false)).unwrap().target().unwrap();
    for (what, document, force, expected) in [
        ("another image", json!({"other": true}), false, Some("which is not what the package makes")),
        ("another image, by force", json!({"other": true}), true, Some("which is not what the package makes")),
        ("a package of something else", package_about(other), false, Some("names a package of something else")),
        ("a package of something else, by force", package_about(other), true, None),
        ("another package of the image", package_about(target), false, None),
    ] {
        let registry = Registry::sound();
        let digest = name(&registry, "v2", &document);
        match golden.push(&registry, "app:v2", (None, force)) {
            Ok(planned) => {
                assert_eq!(expected, None, "{what}");
                // The tag moves where it led to something else, and stays where it leads to the image's packages.
                let named = BlobDigest::of(&registry.manifest(&"v2").unwrap());
                assert_eq!(named, if force { planned.digest() } else { digest }, "{what}");
            }
            Err(error) => {
                assert!(expected.is_some_and(|expected| error.to_string().contains(expected)), "{what}: {error}");
                assert_eq!((error.kind(), error.hint().is_some()), (Kind::Usage, true), "{what}");
                assert_eq!(registry.written(), [""; 0], "{what}");
            }
        }
    }
}

#[test]
fn no_tag_leads_to_a_part_of_a_package() {
    let golden = Golden::open();
    for refused in ["/blobs/uploads/", "/manifests/sha256:"] {
        let registry = Registry::start(move |asked| {
            (asked.method == "PUT" && asked.path.contains(refused)).then(|| Reply::new(403, "", ""))
        });
        let error = golden.push(&registry, "app:delta", (None, false)).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("answers 403"), "{error}");
        assert!(registry.manifest(&"delta").is_none(), "{refused}");
    }
}

#[test]
fn a_package_of_several_images_hangs_on_none_and_needs_a_tag() {
    let (golden, registry) = (Golden::named("layer.ddelta"), Registry::sound());
    let error = golden.push(&registry, "app", (None, false)).map(|_| ()).unwrap_err();
    let to = format!("{}/app", registry.server.host());
    assert_eq!(error.to_string(), format!("{to} has no tag, and a package of several images needs one"));
    assert_eq!((error.kind(), error.hint()), (Kind::Usage, Some(&*format!("name it: docker://{to}:TAG"))));
    let planned = golden.push(&registry, "app:delta", (None, false)).unwrap();
    assert_eq!((planned.target(), planned.has_target()), (None, true));
    assert_eq!(registry.written(), ["blob", "blob", &planned.digest().to_string(), "delta"]);
    assert!(golden.plan(&registry, "app:delta", (None, false)).unwrap().is_there());
}
