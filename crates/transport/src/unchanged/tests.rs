use std::io::Write;

use super::*;

#[test]
fn changes_of_every_kind_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let later = || std::thread::sleep(std::time::Duration::from_millis(20));
    let changes: [(&str, &dyn Fn()); 3] = [
        ("shorter", &|| File::options().write(true).open(&path).unwrap().set_len(3).unwrap()),
        ("longer", &|| File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap()),
        ("other", &|| File::options().write(true).open(&path).unwrap().write_all(b"other").unwrap()),
    ];
    for (what, change) in changes {
        fs::write(&path, b"bytes").unwrap();
        let files = Unchanged::default();
        files.add(&path);
        files.require_unchanged().unwrap();
        let content = || Error::content("damaged");
        assert_eq!(files.explained(content()).kind(), Kind::Content);
        later();
        change();
        let error = files.require_unchanged().unwrap_err();
        assert!(error.kind() == Kind::Environment && error.to_string().contains("changed"), "{what}: {error}");
        assert_eq!(files.explained(content()).kind(), Kind::Environment, "{what}");
        assert_eq!(files.explained(Error::usage("other")).kind(), Kind::Usage, "{what}");
    }
}

#[test]
fn nothing_but_files_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let files = Unchanged::default();
    for path in [folder.path(), Path::new("/dev/null"), Path::new("-"), &folder.path().join("missing")] {
        files.add(path);
    }
    fs::write(folder.path().join("missing"), b"it came").unwrap();
    files.require_unchanged().unwrap();
}

#[test]
fn reading_is_no_change_and_what_a_file_is_besides_its_bytes_is_one() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"bytes").unwrap();
    let files = Unchanged::default();
    files.add(file.path());
    assert_eq!(fs::read(file.path()).unwrap(), b"bytes");
    files.require_unchanged().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).unwrap();
    files.require_unchanged().unwrap_err();
}

#[test]
fn the_first_of_several_that_changed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one", "two", "three"].map(|name| folder.path().join(name));
    paths.iter().for_each(|path| fs::write(path, b"bytes").unwrap());
    let files = Unchanged::default();
    paths.iter().for_each(|path| files.add(path));
    for path in &paths[1..] {
        File::options().write(true).open(path).unwrap().set_len(1).unwrap();
    }
    let error = files.require_unchanged().unwrap_err();
    assert_eq!(error.to_string(), format!("{} changed while it was read", paths[1].display()));
    assert_eq!(error.hint(), Some("wait until what writes there is done, or read a copy"));
}

#[test]
fn only_what_may_come_of_the_change_is_explained_by_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"bytes").unwrap();
    let files = Unchanged::default();
    files.add(file.path());
    let made: [fn(&str) -> Error; 4] = [
        |what| Error::content(what),
        |what| Error::internal(what),
        |what| Error::usage(what),
        |what| Error::environment(what),
    ];
    for make in made {
        assert_eq!(files.explained(make("as it was")).to_string(), "as it was");
    }
    file.as_file().set_len(1).unwrap();
    let explained = made.map(|make| files.explained(make("as it was")).to_string().contains("changed while"));
    assert_eq!(explained, [true, true, false, false]);
}
