use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use delta_core::error::Kind;

use super::*;

#[test]
fn a_secret_is_for_its_owner_alone_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("vendor");
    let [secret, public] = write_new(&name, &NewKeys::generate(None).unwrap()).unwrap();
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(read_secret(&secret).is_ok());
    assert!(write_new(&name, &NewKeys::generate(None).unwrap()).is_err());
    for mode in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&secret, Permissions::from_mode(mode)).unwrap();
        let error = read_secret(&secret).unwrap_err();
        assert!(error.to_string().contains(&format!("found {mode:o}")), "{error}");
    }
    assert_eq!(named(public.to_str().unwrap()).unwrap().len(), 1);
}

#[test]
fn a_folder_has_keys_that_count_and_some_that_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().to_str().unwrap();
    assert!(named(text).is_err());
    for name in ["one", "two"] {
        write_new(&folder.path().join(name), &NewKeys::generate(None).unwrap()).unwrap();
    }
    fs::write(folder.path().join("two.revoked"), "").unwrap();
    fs::write(folder.path().join("notes.txt"), "no key").unwrap();
    let standing: Vec<bool> = named(text).unwrap().iter().map(|known| known.is_revoked).collect();
    assert_eq!(standing, [false, false, true]);
    fs::write(folder.path().join("three.revoked"), "").unwrap();
    assert!(named(text).is_err());
}

/// A new key as the text of a file, and that file's line with the key alone.
fn public() -> (String, String) {
    let file = NewKeys::generate(None).unwrap().public.to_file();
    let line = file.lines().nth(1).unwrap().to_owned();
    (file, line)
}

#[test]
fn a_key_is_named_by_itself_by_its_file_or_by_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (file, line) = public();
    let path = folder.path().join("a.pub");
    fs::write(&path, &file).unwrap();
    let shown = path.to_str().unwrap();
    let key = PublicKey::parse(file.as_bytes()).unwrap();
    for (text, name) in [(line.as_str(), line.as_str()), (shown, shown), (folder.path().to_str().unwrap(), shown)] {
        let keys = named(text).unwrap();
        let [NamedKey { name: found, key: known, is_revoked: false }] = &keys[..] else { panic!("{text}: {keys:?}") };
        assert_eq!((found.as_str(), known.to_file()), (name, key.to_file()));
    }
    let error = named("/no/such/file").unwrap_err();
    assert_eq!((error.kind(), error.to_string().starts_with("reading /no/such/file: ")), (Kind::Environment, true));
    fs::write(&path, "no key").unwrap();
    let error = named(shown).unwrap_err();
    assert!(error.kind() == Kind::Content && error.to_string().starts_with(&format!("{shown}: ")), "{error}");
}

#[test]
fn a_folder_needs_a_key_that_counts() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().to_str().unwrap();
    let none = format!("no key in {text} is trusted: it has no file NAME.pub that is not revoked");
    let (file, _) = public();
    for files in [
        &[][..],
        &[("notes.txt", "no key")],
        &[("pub", "no key"), (".pub", "no key"), ("a.pub.old", "no key"), ("a.PUB", "no key")],
        &[("b.revoked", file.as_str())],
    ] {
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let error = named(text).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (Kind::Usage, none.clone()), "{files:?}");
    }
    fs::write(folder.path().join("c.pub"), &file).unwrap();
    let known: Vec<(String, bool)> =
        named(text).unwrap().into_iter().map(|known| (known.name, known.is_revoked)).collect();
    assert_eq!(known, [(format!("{text}/b.revoked"), true), (format!("{text}/c.pub"), false)]);
    fs::write(folder.path().join("d.pub"), "no key").unwrap();
    assert!(named(text).unwrap_err().to_string().starts_with(&format!("{text}/d.pub: ")));
}

#[test]
fn what_is_revoked_is_in_the_file_or_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.revoked");
    let ((one, _), (other, _)) = (public(), public());
    fs::write(folder.path().join("a.pub"), &one).unwrap();
    for (text, expected) in [("", &one), (" \n\t\n", &one), (one.as_str(), &one), (other.as_str(), &other)] {
        fs::write(&path, text).unwrap();
        assert_eq!(&revoked(&path).unwrap().to_file(), expected, "{text}");
    }
    fs::write(&path, "no key").unwrap();
    assert!(revoked(&path).unwrap_err().to_string().starts_with(&format!("{}: ", path.display())));
    fs::write(&path, "").unwrap();
    fs::remove_file(folder.path().join("a.pub")).unwrap();
    let error = revoked(&path).unwrap_err();
    assert_eq!(error.hint(), Some("put the public key that is revoked into it"));
    assert!(error.to_string().starts_with(&format!("{}: reading {}/a.pub: ", path.display(), folder.path().display())));
}

#[test]
fn files_of_keys_are_read_up_to_a_bound() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let most = usize::try_from(KEY_FILE_BYTES).unwrap();
    for (length, expected) in [(0, 0), (most, most), (most + 1, most + 1), (most + 100, most + 1)] {
        fs::write(file.path(), vec![b'x'; length]).unwrap();
        assert_eq!(read_public(file.path()).unwrap().len(), expected, "{length}");
        assert_eq!(read_secret(file.path()).unwrap().len(), expected, "{length}");
    }
    let error = read_secret(Path::new("/no/such/file")).unwrap_err();
    assert!(error.to_string().starts_with("reading /no/such/file: "), "{error}");
    for folder in [read_public(Path::new("/")), read_secret(Path::new("/"))] {
        assert_eq!(folder.unwrap_err().kind(), Kind::Environment);
    }
}

#[test]
fn a_secret_may_come_through_a_pipe_whose_rights_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").args(["-m", "666"]).arg(&path).status().unwrap().success());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, b"secret").unwrap()
    });
    assert_eq!(read_secret(&path).unwrap(), b"secret");
    writer.join().unwrap();
}

#[test]
fn who_can_write_a_key_decides_about_trust() {
    let folder = tempfile::tempdir().unwrap();
    for mode in 0..0o1000 {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        assert_eq!(require_unwritable(folder.path()).is_ok(), mode & 0o022 == 0, "{mode:o}");
    }
    let error = require_unwritable(folder.path()).unwrap_err();
    let shown = folder.path().display();
    assert_eq!(error.to_string(), format!("others can write {shown}, so it says nothing about trust"));
    assert!(error.kind() == Kind::Environment && error.hint().unwrap().ends_with(&format!("chmod go-w {shown}")));
    assert!(require_unwritable(Path::new("/no/such/file")).is_err());
}

#[test]
fn nothing_is_left_of_keys_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let keys = || NewKeys::generate(None).unwrap();
    let name = folder.path().join("vendor.v1");
    let [secret, public] = write_new(&name, &keys()).unwrap();
    assert_eq!((&secret, &public), (&folder.path().join("vendor.v1.key"), &folder.path().join("vendor.v1.pub")));
    assert_eq!(fs::metadata(&public).unwrap().permissions().mode() & 0o777, 0o644);
    // Either of them is enough, and be it a link to nothing.
    for gone in [&secret, &public] {
        let kept = if gone == &secret { &public } else { &secret };
        fs::remove_file(gone).unwrap();
        let error = write_new(&name, &keys()).unwrap_err();
        let expected = format!("{} exists already, and a key is never replaced", kept.display());
        assert_eq!((error.kind(), error.to_string()), (Kind::Usage, expected));
        assert!(!gone.exists());
        std::os::unix::fs::symlink("nothing", gone).unwrap();
    }
    fs::remove_file(&secret).unwrap();
    assert!(write_new(&name, &keys()).is_err(), "a link to nothing has the name");
    let error = write_new(&folder.path().join("none/vendor"), &keys()).unwrap_err();
    assert_eq!(error.kind(), Kind::Environment);
    // Of a name that is too long.
    let long = folder.path().join("n".repeat(252));
    assert!(write_new(&long, &keys()).is_err());
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["vendor.v1.pub"]);
}

#[test]
fn rules_of_a_folder_change_nothing_about_who_may_read_a_key() {
    let folder = tempfile::tempdir().unwrap();
    // Whoever is no owner may do nothing with what is made there (acl(5), `linux/posix_acl.h`).
    let mut list = vec![2, 0, 0, 0];
    for (tag, rights) in [(1, 7), (4, 0), (32, 0)] {
        list.extend([tag, 0, rights, 0, 255, 255, 255, 255]);
    }
    xattr::set(folder.path(), "system.posix_acl_default", &list).unwrap();
    fs::write(folder.path().join("other"), b"").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join("other")), 0o600);
    let keys = write_new(&folder.path().join("vendor"), &NewKeys::generate(None).unwrap()).unwrap();
    assert_eq!(keys.each_ref().map(|path| mode(path)), [0o600, 0o644]);
}

#[test]
fn a_secret_of_several_lines_is_its_first() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let descriptor = u32::try_from(std::os::fd::AsRawFd::as_raw_fd(file.as_file())).unwrap();
    for (text, expected) in [
        (&b"password\nmore\n"[..], Some("password")),
        (b"password\r\n", Some("password")),
        (b" password ", Some(" password ")),
        (b"", Some("")),
        (b"\npassword", Some("")),
        (b"\xff\n", None),
    ] {
        fs::write(file.path(), text).unwrap();
        let found = first_line(descriptor, "password");
        assert_eq!(found.as_deref().ok(), expected, "{text:?}");
        if let Err(error) = found {
            assert_eq!((error.kind(), error.to_string()), (Kind::Usage, "the password is no text in UTF-8".to_owned()));
        }
    }
    assert_eq!(first_line(4_000_000, "password").unwrap_err().kind(), Kind::Environment);
}

#[test]
fn an_ending_stands_behind_whatever_there_is() {
    assert_eq!(with_ending(Path::new("/m/app.ddelta"), ".key"), Path::new("/m/app.ddelta.key"));
    assert_eq!(with_ending(Path::new("app"), ""), Path::new("app"));
    assert!(trusted().ends_with("trusted.d") && trusted().is_absolute());
}
