use delta_codec::compress::Compression as Codec;
use delta_core::error::Kind;

use super::*;
use crate::fixtures::{Files, compressed, is_refused, tar_of};

fn samples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

fn of(bytes: &[u8]) -> Content {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Content::of_file(file.path()).unwrap()
}

#[test]
fn a_file_is_what_is_in_it() {
    let archive = samples().join("samples/tiny/docker28-classic/v1.tar");
    assert_eq!(Content::of_file(&archive).unwrap(), Content::Archive);
    let mut package = vec![0; 512];
    package[..13].copy_from_slice(b"metadata.json");
    package.extend(b"{\"format\":1}");
    assert_eq!(of(&package), Content::Package);
    package[13] = b'x';
    assert_eq!(of(&package), Content::Other);
    assert_eq!(of(&[&vcdiff::MAGIC[..], b"rest"].concat()), Content::Difference);
    assert_eq!(of(&[&bsdiff::MAGIC[..], b"rest"].concat()), Content::Difference);
    assert_eq!(of(b"ddvolume and more"), Content::Volume);
    assert_eq!(of(b""), Content::Nothing);
    assert_eq!(of(b"a letter"), Content::Other);
    assert_eq!(of(&[0x1f, 0x8b, 8, 1, 2, 3]), Content::Other);
}

#[test]
fn a_layout_with_anything_else_in_it_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let of = || Content::of_folder(folder.path()).unwrap();
    assert_eq!(of(), Content::Nothing);
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(folder.path().join("index.json"), b"{}").unwrap();
    assert_eq!(of(), Content::Other);
    fs::write(folder.path().join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(blobs.join("0123abcd"), b"blob").unwrap();
    assert_eq!(of(), Content::Layout);
    for foreign in ["notes.txt", "blobs/notes.txt", "blobs/sha256/notes.txt"] {
        let foreign = folder.path().join(foreign);
        fs::write(&foreign, b"mine").unwrap();
        assert_eq!(of(), Content::Other);
        fs::remove_file(foreign).unwrap();
    }
    assert_eq!(of(), Content::Layout);
}

/// The start of a package: the header of a member of this name, and what the member starts with.
fn package(name: &[u8], metadata: &[u8]) -> Vec<u8> {
    let mut package = name.to_vec();
    package.resize(512, 0);
    package.extend(metadata);
    package
}

#[test]
fn a_package_is_told_by_its_first_member_and_how_that_begins() {
    let sound = package(b"metadata.json", b"{\"format\":");
    assert_eq!(of(&sound), Content::Package);
    for (name, metadata) in [
        (&b"metadata.json"[..], &b"{\"format\""[..]),
        (b"metadata.json", b"{ \"format\":1}"),
        (b"metadata.json", b""),
        (b"metadata.jsonx", b"{\"format\":1}"),
        (b"./metadata.json", b"{\"format\":1}"),
        (b"Metadata.json", b"{\"format\":1}"),
        (b"", b"{\"format\":1}"),
    ] {
        assert_eq!(of(&package(name, metadata)), Content::Other, "{metadata:?}");
    }
    for length in [1, 12, 13, 14, 511, 512, 513, sound.len() - 1] {
        assert_eq!(of(&sound[..length]), Content::Other, "{length}");
    }
}

#[test]
fn packages_and_differences_may_be_compressed_and_archives_too() {
    let archive = tar_of(&Files::from([("manifest.json".to_owned(), b"[]".to_vec())]));
    for (bytes, expected) in [
        (package(b"metadata.json", b"{\"format\":1}"), Content::Package),
        ([&vcdiff::MAGIC[..], b"rest"].concat(), Content::Difference),
        ([&bsdiff::MAGIC[..], b"rest"].concat(), Content::Difference),
        (b"ddvolume and more".to_vec(), Content::Other),
        (b"a letter".to_vec(), Content::Other),
    ] {
        for compression in [Codec::Gzip, Codec::Zstd, Codec::Xz, Codec::Bzip2] {
            let stored = compressed(&bytes, compression);
            assert_eq!(of(&stored), expected, "{compression}");
            // What ends too soon is judged by what comes out of it.
            assert_ne!(of(&stored[..6]), Content::Package, "{compression}");
        }
    }
    // An archive that an engine loads is not compressed.
    assert_eq!((of(&archive), of(&compressed(&archive, Codec::Gzip))), (Content::Archive, Content::Other));
}

#[test]
fn an_archive_is_one_by_the_names_in_it() {
    for (names, expected) in [
        (&["manifest.json"][..], Content::Archive),
        (&["oci-layout", "index.json"], Content::Archive),
        (&["./manifest.json", "photos/one"], Content::Archive),
        (&["oci-layout"], Content::Other),
        (&["index.json"], Content::Other),
        (&["photos/manifest.json"], Content::Other),
        (&["photos/one", "photos/two"], Content::Other),
    ] {
        let files = names.iter().map(|name| ((*name).to_owned(), b"{}".to_vec()));
        assert_eq!(of(&tar_of(&files.collect())), expected, "{names:?}");
    }
}

#[test]
fn every_version_of_the_magic_bytes_of_a_difference_counts_but_no_others() {
    for version in [0, 1, b'S', u8::MAX] {
        let bytes = [&vcdiff::MAGIC[..3], &[version], b"rest"].concat();
        assert_eq!(of(&bytes), Content::Difference, "VCDIFF has versions, and each is a difference");
    }
    for at in 0..bsdiff::MAGIC.len() {
        let mut bytes = [&bsdiff::MAGIC[..], b"rest"].concat();
        bytes[at] ^= 1;
        assert_eq!(of(&bytes), Content::Other, "{at}");
        assert_eq!(of(&bsdiff::MAGIC[..at.max(1)]), Content::Other, "{at}");
    }
    let magic = b"ddvolume";
    assert_eq!((of(magic), of(&magic[..7]), of(b"ddVolume")), (Content::Volume, Content::Other, Content::Other));
}

#[test]
fn what_is_encrypted_is_a_package_by_its_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = samples().join("golden/v1/sealed");
    let encrypted = fs::read_dir(sealed).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let encrypted = encrypted.into_iter().find(|bytes| bytes.starts_with(b"age-encryption.org/")).unwrap();
    for (name, expected) in [
        ("app.ddelta", Content::Encrypted),
        ("app.delta", Content::Encrypted),
        (".ddelta", Content::Other),
        ("app.age", Content::Other),
        ("app.ddelta.age", Content::Other),
        ("ddelta", Content::Other),
        ("app.DDELTA", Content::Other),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &encrypted).unwrap();
        assert_eq!(Content::of_file(&path).unwrap(), expected, "{name}");
        fs::write(&path, b"a letter").unwrap();
        assert_eq!(Content::of_file(&path).unwrap(), Content::Other, "{name}");
    }
}

#[test]
fn each_thing_of_ours_is_called_what_it_is_and_others_are_not() {
    let golden = samples().join("golden");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("empty"), b"").unwrap();
    fs::write(path("letter"), b"Dear reader").unwrap();
    fs::create_dir(path("nothing")).unwrap();
    for (path, expected) in [
        (golden.join("v1/accept/xdelta3.ddelta"), Some("a package")),
        (golden.join("v1/accept/wrapped.ddelta.gz"), Some("a package")),
        (golden.join("v1/sealed/self-contained.run"), Some("a package")),
        (golden.join("volumes/accept/one.001"), Some("a volume of a package")),
        (samples().join("samples/tiny/docker20-classic/v1.tar"), Some("an image archive")),
        (samples().join("samples/tiny/skopeo-oci-dir/layout"), Some("an OCI layout")),
        (samples().join("samples/tiny/skopeo-dir/v1"), None),
        (path("empty"), None),
        (path("letter"), None),
        (path("nothing"), None),
        (path("missing"), None),
        ("/dev/null".into(), None),
    ] {
        assert_eq!(describe(&path), expected, "{}", path.display());
    }
}

/// A layout with nothing odd in it.
fn layout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
    fs::write(folder.path().join("index.json"), b"{}").unwrap();
    fs::write(folder.path().join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    folder
}

fn of_folder(folder: &Path) -> Content {
    Content::of_folder(folder).unwrap()
}

#[test]
fn a_layout_may_have_what_programs_put_into_it() {
    let folder = layout();
    let path = |name: &str| folder.path().join(name);
    for name in ["manifest.json", "repositories", "blobs/sha256/00", "blobs/sha256/ABCDEF"] {
        fs::write(path(name), b"").unwrap();
        assert_eq!(of_folder(folder.path()), Content::Layout, "{name}");
    }
    for name in ["ingest", "blobs/sha512"] {
        fs::create_dir(path(name)).unwrap();
        assert_eq!(of_folder(folder.path()), Content::Layout, "{name}");
    }
    // Whoever replaces it removes the link, and not what it leads to.
    std::os::unix::fs::symlink("/elsewhere", path("blobs/sha256/11")).unwrap();
    assert_eq!(of_folder(folder.path()), Content::Layout);
}

#[test]
fn folders_in_the_place_of_files_make_it_another_thing() {
    for (made, content) in [
        ("blobs/sha256/00", "photo"),
        ("blobs/sha256/00ff", "more/photo"),
        ("manifest.json", "photo"),
        ("repositories", "photo"),
    ] {
        let folder = layout();
        let photo = folder.path().join(made).join(content);
        fs::create_dir_all(photo.parent().unwrap()).unwrap();
        fs::write(photo, b"precious").unwrap();
        assert_eq!(of_folder(folder.path()), Content::Other, "{made}");
    }
    let folder = layout();
    fs::write(folder.path().join("ingest"), b"a file").unwrap();
    assert_eq!(of_folder(folder.path()), Content::Other);
}

#[test]
fn a_folder_without_what_every_layout_has_is_none() {
    for gone in ["oci-layout", "blobs"] {
        let folder = layout();
        let path = folder.path().join(gone);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
        assert_eq!(of_folder(folder.path()), Content::Other, "{gone}");
    }
    for mark in ["", "{}", "imageLayoutVersio"] {
        let folder = layout();
        fs::write(folder.path().join("oci-layout"), mark).unwrap();
        assert_eq!(of_folder(folder.path()), Content::Other, "{mark}");
    }
    let folder = layout();
    fs::remove_dir_all(folder.path().join("blobs")).unwrap();
    fs::write(folder.path().join("blobs"), b"a file").unwrap();
    assert_eq!(of_folder(folder.path()), Content::Other);
}

#[test]
fn what_cannot_be_looked_at_is_told_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let name = missing.display().to_string();
    is_refused(Content::of_file(&missing), Kind::Environment, &["opening", &name]);
    is_refused(Content::of_folder(&missing), Kind::Environment, &["reading", &name]);
    is_refused(Content::of_file(folder.path()), Kind::Usage, &["is no regular file"]);
}
