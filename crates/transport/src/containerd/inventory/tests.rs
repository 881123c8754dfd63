use delta_core::job::progress::Silent;

use super::*;
use crate::program::scripted::Script;

fn store(lines: &str) -> Store {
    let images = lines.lines().filter_map(named).collect();
    Store {
        program: Program::new("ctr", &[]),
        progress: Arc::new(Silent),
        label: "test".to_owned(),
        images,
        held: Vec::new(),
        blobs: BTreeSet::new(),
    }
}

#[test]
fn what_ctr_prints_is_read() {
    let [a, b] = [b"a", b"b"].map(|bytes| BlobDigest::of(bytes));
    let store = store(&format!(
        "REF                      TYPE                                    DIGEST SIZE     PLATFORMS   LABELS \n\
         docker.io/library/app:v2 application/vnd.oci.image.index.v1+json {a} 23.3 KiB linux/amd64 - \n\
         sha256:abc application/vnd.oci.image.manifest.v1+json {b} 0.0 B    -           io.cri-containerd.image=managed \n\
         odd\n\n"
    ));
    assert!(store.has(a) && store.has(b) && !store.has(BlobDigest::of(b"c")));
    assert_eq!(store.images[0].media_type, "application/vnd.oci.image.index.v1+json");
    for text in ["docker.io/library/app:v2", "app:v2", "library/app:v2", &a.to_string(), &format!("x/y@{a}")] {
        assert_eq!(store.find(text).map(|image| image.target), Some(a), "{text}");
    }
    assert_eq!(store.find("sha256:abc").map(|image| image.target), Some(b));
    for text in ["app", "app:v1", "other/app:v2", "", "@", &BlobDigest::of(b"c").to_string()] {
        assert_eq!(store.find(text), None, "{text}");
    }
    assert_eq!(store.near("team/app:v3"), ["docker.io/library/app:v2"]);
    assert!(store.near("").is_empty());
}

#[test]
fn names_of_ours_are_told_from_those_of_images() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| BlobDigest::of(bytes));
    let listed = format!("REF TYPE DIGEST\napp:v1 t {a} x\n{HELD}parts-1-1-1:x t {b} x\n not{HELD}y t {c} x\n");
    let there = format!("{a}\n {b} \n\nsha512:abc\nodd\n");
    let script = Script::new().says("images ls", listed).says("content ls --quiet", there);
    let store = Store::new(script.program("ctr"), "the store".to_owned(), Arc::new(Silent)).unwrap();
    assert_eq!(store.label(), "the store");
    assert_eq!(store.targets().collect::<Vec<_>>(), [a, c]);
    assert_eq!(store.held.iter().map(|held| held.target).collect::<Vec<_>>(), [b]);
    assert!(store.has(a) && !store.has(b));
    assert_eq!(store.blobs, [a, b].into());
    for script in [
        Script::new().fails("images ls", "no right").says("content ls --quiet", ""),
        Script::new().says("images ls", "").fails("content ls --quiet", "no right"),
    ] {
        let error = Store::new(script.program("ctr"), String::new(), Arc::new(Silent)).err().unwrap();
        assert!(error.to_string().ends_with("failed: no right"), "{error}");
    }
}

#[test]
fn a_name_by_the_letter_goes_before_what_it_may_be_short_for() {
    let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| BlobDigest::of(bytes));
    let store = store(&format!("docker.io/library/app:v1 t {a}\napp:v1 t {b}\n{a} t {c}\n"));
    let target = |text: &str| store.find(text).map(|found| found.target);
    assert_eq!(target("app:v1"), Some(b));
    assert_eq!(target("docker.io/library/app:v1"), Some(a));
    assert_eq!(target("library/app:v1"), Some(a));
    // A digest may be a name too.
    assert_eq!((target(&a.to_string()), target(&format!("x@{a}"))), (Some(c), Some(a)));
    assert_eq!(store.near("r.example/app@sha256:0"), ["docker.io/library/app:v1", "app:v1"]);
    assert_eq!(store.near("app:v9").len(), 2);
    for odd in ["", "/", ":v1", "r.example/@x", "nothing"] {
        assert!(store.near(odd).is_empty(), "{odd}");
    }
}
