use std::io::{Read, Write};

use super::*;

#[test]
fn what_was_broken_off_is_found_again_and_what_is_done_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (place, digest) = (folder.path().join("cache/blobs"), BlobDigest::of(b"blob"));
    let path = place.join(digest.hex());
    let downloads = Downloads::new(Some(place.clone()));
    let mut file = downloads.open(digest, folder.path()).unwrap();
    file.write_all(b"bl").unwrap();
    let other = Downloads::new(Some(place.clone()));
    // Somebody else downloads it for himself meanwhile.
    assert_eq!(other.open(digest, folder.path()).unwrap().metadata().unwrap().len(), 0);
    other.remove_used();
    assert!(path.exists());
    drop(file);
    let mut text = String::new();
    other.open(digest, folder.path()).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "bl");
    other.remove_used();
    assert!(!path.exists());
}

#[test]
fn nothing_is_kept_where_others_could_write() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
    for place in [Some(open), Some(folder.path().join("link")), Some("/proc/none/x".into()), None] {
        let downloads = Downloads::new(place);
        downloads.open(BlobDigest::of(b"x"), folder.path()).unwrap().write_all(b"x").unwrap();
        assert!(downloads.kept().is_none());
    }
    assert_eq!(fs::read_dir(folder.path().join("open")).unwrap().count(), 0);
}

/// A folder for downloads that nobody else can write to, with files that changed so long ago.
fn kept(files: &[(&str, Duration)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("blobs");
    system::make_private_folder(&place).unwrap();
    for (name, age) in files {
        let file = File::create(place.join(name)).unwrap();
        file.set_modified(SystemTime::now() - *age).unwrap();
    }
    (folder, place)
}

fn names(place: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_nobody_went_on_with_is_removed_and_nothing_else() {
    let minute = Duration::from_secs(60);
    let [old, new] = [b"old", b"new"].map(|bytes| BlobDigest::of(bytes).hex());
    let (folder, place) = kept(&[
        (&old, KEPT + minute),
        (&new, KEPT - minute),
        ("notes.txt", KEPT * 2),
        (&old[1..], KEPT * 2),
        (&old.to_uppercase(), KEPT * 2),
    ]);
    // One from the future is not old.
    let future = BlobDigest::of(b"future").hex();
    File::create(place.join(&future)).unwrap().set_modified(SystemTime::now() + KEPT * 2).unwrap();
    let downloads = Downloads::new(Some(place.clone()));
    assert_eq!(names(&place).len(), 6, "nothing is looked at before it is needed");
    assert_eq!(downloads.folder(folder.path()), place);
    let mut expected =
        vec![new.to_string(), "notes.txt".into(), old[1..].into(), old.to_uppercase(), future.to_string()];
    expected.sort();
    assert_eq!(names(&place), expected);
}

#[test]
fn what_an_earlier_run_left_is_counted_and_what_came_too() {
    let digest = BlobDigest::of(b"blob");
    let (folder, place) = kept(&[]);
    let downloads = Downloads::new(Some(place.clone()));
    assert_eq!((downloads.kept_bytes(digest), downloads.bytes()), (0, 0));
    fs::write(place.join(digest.hex()), b"four").unwrap();
    assert_eq!(downloads.kept_bytes(digest), 4);
    downloads.count(3);
    downloads.count(7);
    assert_eq!(downloads.bytes(), 10);
    let nowhere = Downloads::new(None);
    assert_eq!((nowhere.kept_bytes(digest), nowhere.folder(folder.path())), (0, folder.path()));
}

#[test]
fn only_a_file_of_a_blob_is_gone_on_with() {
    let digest = BlobDigest::of(b"blob");
    for prepare in [
        |path: &Path| std::os::unix::fs::symlink("../precious", path).unwrap(),
        |path: &Path| fs::create_dir(path).unwrap(),
    ] {
        let (folder, place) = kept(&[]);
        fs::write(folder.path().join("precious"), b"precious").unwrap();
        prepare(&place.join(digest.hex()));
        let downloads = Downloads::new(Some(place.clone()));
        downloads.open(digest, folder.path()).unwrap().write_all(b"bytes").unwrap();
        assert_eq!(fs::read(folder.path().join("precious")).unwrap(), b"precious");
        downloads.remove_used();
        assert_eq!(names(&place).len(), 1, "what is not ours stays");
    }
}

#[test]
fn a_run_removes_what_it_downloaded_and_the_folder_if_that_is_empty() {
    let [one, other] = [b"one", b"two"].map(|bytes| BlobDigest::of(bytes));
    let (folder, place) = kept(&[]);
    let downloads = Downloads::new(Some(place.clone()));
    fs::write(place.join(other.hex()), b"of another run").unwrap();
    let mut file = downloads.open(one, folder.path()).unwrap();
    file.write_all(b"bytes").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    downloads.remove_used();
    assert_eq!(names(&place), [other.hex().to_string()]);
    drop(downloads.open(other, folder.path()).unwrap());
    downloads.remove_used();
    assert!(!place.exists());
    // It is not made again for nothing.
    downloads.remove_used();
    assert!(!place.exists());
}

#[test]
fn the_folder_is_made_with_those_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a/b/blobs");
    assert!(system::make_own_folder(&place).unwrap() && system::make_own_folder(&place).unwrap());
    let mode =
        |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777;
    assert_eq!(mode(&place), 0o700);
    fs::write(folder.path().join("file"), b"").unwrap();
    assert!(!system::make_own_folder(&folder.path().join("file")).unwrap_or_default());
    assert!(system::make_own_folder(&folder.path().join("file/blobs")).is_err());
}
