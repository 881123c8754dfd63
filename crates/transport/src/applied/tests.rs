use delta_core::error::Kind;

use super::*;
use crate::fixtures::{is_refused, names};

#[test]
fn what_was_applied_is_kept_by_image_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("state/docker_delta");
    let [one, two] = [1, 2].map(|byte| KeyId::of_bytes([byte; 8]));
    let mut applied = Applied::read(&place).unwrap();
    applied.note("app:v1", one, 7);
    applied.write().unwrap();
    let applied = Applied::read(&place).unwrap();
    assert!(applied.require_not_older("app:v1", one, 7).is_ok());
    assert!(applied.require_not_older("app:v1", one, 8).is_ok());
    let error = applied.require_not_older("app:v1", one, 6).unwrap_err();
    assert!(error.to_string().contains("signed number 7 before, and now 6"), "{error}");
    assert!(applied.require_not_older("app:v1", two, 6).is_ok());
    assert!(applied.require_not_older("other:v1", one, 6).is_ok());
    fs::write(place.join("applied.json"), "{}").unwrap();
    assert!(Applied::read(&place).is_err());
}

const KEY: [u8; 8] = [1; 8];

/// A folder in which this is kept.
fn kept(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("applied.json"), text).unwrap();
    folder
}

fn refused(folder: &Path, kind: Kind, words: &[&str]) {
    let place = folder.join("applied.json").display().to_string();
    is_refused(Applied::read(folder), kind, &[&[place.as_str()], words].concat());
}

#[test]
fn applied_bytes_are_read_up_to_their_limit() {
    let sound = r#"{"schema": 1, "images": {}}"#;
    let folder = kept(sound);
    let file = fs::OpenOptions::new().append(true).open(folder.path().join("applied.json")).unwrap();
    let blanks = vec![b' '; usize::try_from(APPLIED_BYTES).unwrap() - sound.len()];
    (&file).write_all(&blanks).unwrap();
    assert!(Applied::read(folder.path()).is_ok());
    (&file).write_all(b" ").unwrap();
    refused(folder.path(), Kind::Content, &["it is too long for what was applied"]);
}

#[test]
fn what_is_kept_is_of_one_form_and_no_other() {
    let key = KeyId::of_bytes(KEY);
    let sound = format!(r#"{{"schema": 1, "images": {{"app:v1": {{"{key}": 18446744073709551615}}}}}}"#);
    let applied = Applied::read(kept(&sound).path()).unwrap();
    assert!(applied.require_not_older("app:v1", key, u64::MAX).is_ok());
    assert!(applied.require_not_older("app:v1", key, u64::MAX - 1).is_err());
    for schema in ["0", "2", "4294967295"] {
        let text = sound.replacen('1', schema, 1);
        refused(kept(&text).path(), Kind::Content, &[&format!("expected schema 1, found {schema}")]);
    }
    for (from, to) in [
        ("18446744073709551615", "18446744073709551616"),
        ("18446744073709551615", "-1"),
        ("18446744073709551615", "1.5"),
        ("18446744073709551615", "null"),
        (r#""schema": 1"#, r#""schema": "1""#),
        (r#""schema": 1, "#, ""),
        (r#""schema": 1"#, r#""schema": 1, "more": 1"#),
        (r#""schema": 1"#, r#""schema": 4294967297"#),
        ("}}}", "}}"),
        ("}}}", "}}}}"),
    ] {
        let text = sound.replacen(from, to, 1);
        assert_ne!(text, sound);
        refused(kept(&text).path(), Kind::Content, &["it does not say what was applied"]);
    }
    for at in 0..sound.len() {
        refused(kept(&sound[..at]).path(), Kind::Content, &["it does not say what was applied"]);
    }
    let error = Applied::read(kept("").path()).unwrap_err();
    assert!(error.hint().unwrap().contains("without it no package counts as older"), "{error}");
}

#[test]
fn nothing_is_believed_where_nothing_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("applied.json")).unwrap();
    refused(folder.path(), Kind::Environment, &["reading"]);
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    refused(&file, Kind::Environment, &["looking at what was applied"]);
}

#[test]
fn the_last_number_counts_even_if_it_is_lower() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyId::of_bytes(KEY);
    let mut applied = Applied::read(folder.path()).unwrap();
    assert!(applied.require_not_older("app:v1", key, 0).is_ok());
    applied.note("app:v1", key, 7);
    // Whoever went back by intent goes on from there.
    applied.note("app:v1", key, 3);
    let error = applied.require_not_older("app:v1", key, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the package is older than what was applied: of app:v1, key {key} signed number 3 before, and now 2")
    );
    assert_eq!((error.kind(), error.hint().is_some_and(|hint| hint.contains("--no-downgrade"))), (Kind::Content, true));
    assert!(applied.require_not_older("app:v1", key, 3).is_ok());
}

#[test]
fn what_is_kept_is_replaced_in_one_step_and_for_nobody_else() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("state/docker_delta");
    let mut applied = Applied::read(&place).unwrap();
    for (image, sequence) in [("app:v1", 1), ("app:v2", 2), ("app:v1", 3)] {
        applied.note(image, KeyId::of_bytes(KEY), sequence);
        applied.write().unwrap();
        assert_eq!(names(&place), ["applied.json"], "nothing is left beside it");
    }
    for made in ["state", "state/docker_delta"] {
        let mode = fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{made}");
    }
    let inode = || fs::metadata(place.join("applied.json")).unwrap().ino();
    let before = inode();
    // It keeps the other file in its place, so that its number is not given again.
    let held = fs::File::open(place.join("applied.json")).unwrap();
    applied.write().unwrap();
    assert_ne!(inode(), before);
    drop(held);
    let again = Applied::read(&place).unwrap();
    assert!(again.require_not_older("app:v1", KeyId::of_bytes(KEY), 2).is_err());
    assert!(again.require_not_older("app:v2", KeyId::of_bytes(KEY), 2).is_ok());
}

#[test]
fn a_place_that_takes_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("applied.json/full")).unwrap();
    let applied = Applied { path: folder.path().join("applied.json"), stored: Stored::default() };
    is_refused(applied.write(), Kind::Environment, &["writing", "applied.json"]);
    assert_eq!(names(folder.path()), ["applied.json"]);
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let applied = Applied { path: file.join("applied.json"), stored: Stored::default() };
    is_refused(applied.write(), Kind::Environment, &["writing", "file/applied.json"]);
}
