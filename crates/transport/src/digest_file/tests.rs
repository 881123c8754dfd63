use std::fs;
use std::process::Command;

use delta_core::error::Kind;

use super::*;
use crate::fixtures::is_refused;

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.sha256");
    assert_eq!(read(&path).unwrap(), None);
    let digest = BlobDigest::of(b"package");
    for name in ["p.ddelta", "a name", "back\\slash", "two\nlines"] {
        fs::write(&path, line(digest, name)).unwrap();
        assert_eq!(read(&path).unwrap(), Some(digest), "{name}");
    }
    let hex = digest.hex();
    for (text, is_one) in [
        (format!("{hex}  p.ddelta"), true),
        (format!("{hex} *p.ddelta\n"), true),
        (format!("\\{hex}  two\\nlines\n"), true),
        (format!("{hex}\n"), false),
        (format!("{hex}  one\n{hex}  other\n"), false),
        (format!("{hex}  one\n\n"), false),
        (format!("\n{hex}  one\n"), false),
        (format!("SHA256 (one) = {hex}\n"), false),
        (format!("{}  one\n", hex.to_uppercase()), false),
        (format!("{}  one\n", &hex[1..]), false),
        ("0123  p".to_owned(), false),
        (String::new(), false),
        ("\n".to_owned(), false),
    ] {
        fs::write(&path, &text).unwrap();
        match read(&path) {
            Ok(found) => assert!(is_one && found == Some(digest), "{text}"),
            Err(error) => {
                assert!(!is_one, "{text}: {error}");
                assert_eq!(error.kind(), delta_core::error::Kind::Content);
                assert!(
                    error.to_string().ends_with("expected one line of `sha256sum`: a digest and a name"),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn a_line_is_what_the_program_of_the_field_writes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["p.ddelta", "a  name", "back\\slash", "two\nlines", "\\n", "*star", "-dash", "\u{e9}"] {
        fs::write(folder.path().join(name), b"package").unwrap();
        let made = Command::new("sha256sum").arg("--").arg(name).current_dir(folder.path()).output();
        let made = made.unwrap_or_else(|error| panic!("`sha256sum` of coreutils does not run: {error}"));
        assert_eq!(line(BlobDigest::of(b"package"), name), String::from_utf8(made.stdout).unwrap(), "{name:?}");
        fs::write(folder.path().join("list"), line(BlobDigest::of(b"package"), name)).unwrap();
        let checked = Command::new("sha256sum").args(["--check", "list"]).current_dir(folder.path()).output().unwrap();
        assert!(checked.status.success(), "{name:?}");
    }
}

#[test]
fn what_cannot_be_read_is_no_absence() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(&folder.path().join("missing")).unwrap(), None);
    is_refused(read(folder.path()), Kind::Environment, &["reading"]);
    let below = folder.path().join("file/p.sha256");
    fs::write(folder.path().join("file"), b"").unwrap();
    is_refused(read(&below), Kind::Environment, &["looking at", "file/p.sha256"]);
    let path = folder.path().join("p.sha256");
    fs::write(&path, [&line(BlobDigest::of(b"package"), "p").into_bytes()[..10], b"\xff"].concat()).unwrap();
    is_refused(read(&path), Kind::Content, &["expected one line of `sha256sum`"]);
    // A name may be no text.
    fs::write(&path, [BlobDigest::of(b"package").hex().as_bytes(), b"  \xff\n"].concat()).unwrap();
    assert_eq!(read(&path).unwrap(), Some(BlobDigest::of(b"package")));
}

#[test]
fn every_digit_of_the_digest_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (path, digest) = (folder.path().join("p.sha256"), BlobDigest::of(b"package"));
    let text = line(digest, "p");
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        fs::write(&path, &changed).unwrap();
        match read(&path) {
            // The second blank, the name and the end of the line are not looked at here.
            Ok(found) => assert_eq!(found == Some(digest), at > 64, "{at}"),
            Err(_) => assert_eq!(at, 64, "without a blank there is no digest"),
        }
    }
}
