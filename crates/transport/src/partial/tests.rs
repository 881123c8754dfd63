use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::fixtures::names;

fn id(path: &Path) -> Option<FileId> {
    system::file_id_of_name(path).ok()
}

/// With and without a name, as file systems allow it.
fn made(folder: &Path, bytes: &[u8]) -> [Partial; 2] {
    let named = Partial::locked(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path));
    [Partial::file(folder).unwrap(), named.unwrap()].map(|partial| {
        partial.open().write_all(bytes).unwrap();
        partial
    })
}

#[test]
fn a_name_appears_only_where_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    for (number, partial) in made(folder.path(), b"bytes").into_iter().enumerate() {
        let path = folder.path().join(format!("{number}{}", "n".repeat(254)));
        partial.put_in_place(&path, None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"bytes");
        for partial in made(folder.path(), b"other") {
            assert_eq!(partial.put_in_place(&path, None).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).unwrap(), b"bytes");
        }
    }
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn only_what_was_looked_at_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package");
    fs::write(&path, b"old").unwrap();
    let seen = id(&path);
    // Its inode must not be given to another file.
    let kept = File::open(&path).unwrap();
    for partial in made(folder.path(), b"new") {
        fs::write(folder.path().join("another"), b"another").unwrap();
        fs::rename(folder.path().join("another"), &path).unwrap();
        partial.put_in_place(&path, seen).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"another");
    }
    drop(kept);
    for partial in made(folder.path(), b"new") {
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        partial.put_in_place(&path, id(&path)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    }
    for partial in made(folder.path(), b"new") {
        partial.put_in_place(&folder.path().join("missing"), Some((0, 0))).unwrap_err();
    }
    assert_eq!(names(folder.path()), ["package"]);
}

#[test]
fn a_folder_without_exchange_is_replaced_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layout");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("old"), b"").unwrap();
    let partial = Partial::folder(folder.path()).unwrap();
    fs::write(partial.path().unwrap().join("new"), b"").unwrap();
    partial.replace(&path, (0, 0)).unwrap_err();
    assert_eq!(names(&path), ["old"]);
    let partial = Partial::folder(folder.path()).unwrap();
    fs::write(partial.path().unwrap().join("new"), b"").unwrap();
    partial.replace(&path, id(&path).unwrap()).unwrap();
    assert_eq!((names(&path), names(folder.path())), (vec!["new".to_owned()], vec!["layout".to_owned()]));
}

#[test]
fn what_is_on_its_way_to_a_name_is_not_swept() {
    let folder = tempfile::tempdir().unwrap();
    let partial = Partial::file(folder.path()).unwrap();
    let passing = folder.path().join(format!("{PREFIX}AbCdEf12{SUFFIX}"));
    if partial.named.is_none() {
        system::give_name(&partial.file, &passing).unwrap();
    }
    let before = names(folder.path());
    sweep(folder.path());
    assert_eq!(names(folder.path()), before);
    drop(partial);
    sweep(folder.path());
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn what_a_killed_run_left_is_swept_and_what_a_living_one_holds_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [_, living] = made(folder.path(), b"living");
    let living_folder = Partial::folder(folder.path()).unwrap();
    fs::write(folder.path().join(".docker_delta-ABCDEFGH.partial"), b"left").unwrap();
    let left = folder.path().join(".docker_delta-abcdefgh.partial/closed");
    fs::create_dir_all(&left).unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o500)).unwrap();
    fs::write(folder.path().join(".docker_delta-mine.partial"), b"another name").unwrap();
    sweep(folder.path());
    let kept = [living.path(), living_folder.path()].map(|path| path.unwrap().file_name().unwrap().to_owned());
    let left = names(folder.path());
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(kept.iter().all(|name| left.iter().any(|left| left.as_str() == name)));
    drop((living, living_folder));
    assert_eq!(names(folder.path()), [".docker_delta-mine.partial"]);
}

/// A partial file of these bytes that has a name already, as where files cannot be without.
fn named(folder: &Path, bytes: &[u8]) -> Partial {
    let [_, named] = made(folder, bytes);
    named
}

/// A folder with one thing in it.
fn folder_of(folder: &Path, name: &str) -> Partial {
    let partial = Partial::folder(folder).unwrap();
    fs::write(partial.path().unwrap().join(name), b"").unwrap();
    partial
}

#[test]
fn a_partial_name_is_of_a_form_that_others_do_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let partial = named(folder.path(), b"");
    let name = partial.path().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(names(folder.path()), [name.as_str()]);
    let random = name.strip_prefix(".docker_delta-").unwrap().strip_suffix(".partial").unwrap();
    assert!(random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
    assert!(PENDING.lock().unwrap().contains(&partial.path().unwrap().to_owned()));
    let path = partial.path().unwrap().to_owned();
    drop(partial);
    assert!(names(folder.path()).is_empty() && !PENDING.lock().unwrap().contains(&path));
}

#[test]
fn what_has_its_name_is_no_longer_among_what_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let made: [&dyn Fn() -> Partial; 2] = [&|| named(folder.path(), b"bytes"), &|| folder_of(folder.path(), "inner")];
    for make in made {
        let partial = make();
        let partial_path = partial.path().unwrap().to_owned();
        partial.put_in_place(&path, None).unwrap();
        let pending = PENDING.lock().unwrap().clone();
        assert!(!pending.contains(&partial_path) && !pending.contains(&path));
        assert!(path.exists() && names(folder.path()) == ["new"]);
        remove(&path).unwrap();
    }
}

#[test]
fn only_names_of_ours_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let kept = [
        ".docker_delta-1234567.partial",
        ".docker_delta-123456789.partial",
        ".docker_delta-.partial",
        ".docker_delta-12345678.partiak",
        ".docker_delta-12345678",
        ".docker-delta-12345678.partial",
        "docker_delta-12345678.partial",
        "x.docker_delta-12345678.partial",
        ".docker_delta-12345678.partial.tar",
    ];
    kept.iter().for_each(|name| fs::write(path(name), b"mine").unwrap());
    // A link is nobody's to follow.
    fs::write(path("target"), b"precious").unwrap();
    std::os::unix::fs::symlink("target", path(".docker_delta-aaaaaaaa.partial")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path(".docker_delta-bbbbbbbb.partial"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    fs::write(path(".docker_delta-cccccccc.partial"), b"left").unwrap();
    fs::create_dir(path(".docker_delta-dddddddd.partial")).unwrap();
    sweep(folder.path());
    let mut expected: Vec<&str> = kept.to_vec();
    expected.extend(["target", ".docker_delta-aaaaaaaa.partial", ".docker_delta-bbbbbbbb.partial"]);
    expected.sort_unstable();
    assert_eq!(names(folder.path()), expected);
    // Where nothing can be listed nothing is swept.
    sweep(&path("missing"));
    sweep(&path("target"));
    assert_eq!(fs::read(path("target")).unwrap(), b"precious");
}

#[test]
fn each_new_partial_sweeps_what_others_left() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join(".docker_delta-12345678.partial");
    for make in [Partial::file, Partial::folder] {
        fs::write(&left, b"left").unwrap();
        let partial = make(folder.path()).unwrap();
        assert!(!left.exists());
        drop(partial);
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn nothing_can_be_begun_where_no_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    for (place, expected) in
        [(folder.path().join("missing"), io::ErrorKind::NotFound), (file, io::ErrorKind::NotADirectory)]
    {
        for made in [Partial::file(&place), Partial::folder(&place)] {
            assert_eq!(made.map(|_| ()).unwrap_err().kind(), expected, "{}", place.display());
        }
    }
}

#[test]
fn a_file_replaces_no_folder_and_a_folder_no_file_that_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there");
    fs::write(&path, b"old").unwrap();
    let seen = id(&path);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("photo"), b"precious").unwrap();
    let kept = File::open(&path).unwrap();
    for partial in made(folder.path(), b"new") {
        let replaced = partial.put_in_place(&path, seen.map(|(device, _)| (device, 1)));
        assert_eq!(replaced.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(names(&path), ["photo"]);
    }
    assert_eq!(names(folder.path()), ["there"]);
    drop(kept);
}

#[test]
fn permissions_are_those_of_what_is_replaced_unless_they_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there");
    let mode = || fs::metadata(&path).unwrap().mode() & 0o7777;
    for (old, expected) in [(0o640, 0o640), (0o755, 0o755), (0o600, 0o600), (0o4755, 0o755), (0o2640, 0o640)] {
        for partial in made(folder.path(), b"new") {
            fs::write(&path, b"old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(old)).unwrap();
            partial.put_in_place(&path, id(&path)).unwrap();
            assert_eq!(mode(), expected, "neither user nor group comes with it");
        }
        for mut partial in made(folder.path(), b"new") {
            fs::set_permissions(&path, fs::Permissions::from_mode(old)).unwrap();
            system::set_mode(partial.open(), 0o751).unwrap();
            partial.keep_permissions();
            partial.put_in_place(&path, id(&path)).unwrap();
            assert_eq!(mode(), 0o751);
        }
    }
}

#[test]
fn a_folder_takes_the_place_of_a_folder_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there");
    fs::create_dir_all(path.join("deep/er")).unwrap();
    fs::write(path.join("deep/er/old"), b"").unwrap();
    fs::set_permissions(path.join("deep"), fs::Permissions::from_mode(0o500)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    folder_of(folder.path(), "new").put_in_place(&path, id(&path)).unwrap();
    assert_eq!((names(&path), names(folder.path())), (vec!["new".to_owned()], vec!["there".to_owned()]));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o750);
}

#[test]
fn a_file_without_exchange_is_replaced_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there");
    fs::write(&path, b"old").unwrap();
    let error = named(folder.path(), b"new").replace(&path, (0, 0)).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (io::ErrorKind::AlreadyExists, "something else came to be there meanwhile")
    );
    assert_eq!(fs::read(&path).unwrap(), b"old");
    named(folder.path(), b"new").replace(&path, id(&path).unwrap()).unwrap();
    assert_eq!((fs::read(&path).unwrap(), names(folder.path())), (b"new".to_vec(), vec!["there".to_owned()]));
    // What has no name cannot take one that way.
    let nameless = Partial { named: None, ..named(folder.path(), b"new") };
    nameless.replace(&path, id(&path).unwrap()).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn what_was_there_comes_back_when_the_new_one_cannot_take_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("there");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("old"), b"").unwrap();
    let partial = folder_of(folder.path(), "new");
    // Somebody took away what was written.
    fs::remove_dir_all(partial.path().unwrap()).unwrap();
    partial.replace(&path, id(&path).unwrap()).unwrap_err();
    assert_eq!((names(&path), names(folder.path())), (vec!["old".to_owned()], vec!["there".to_owned()]));
}

#[test]
fn a_free_name_is_taken_and_one_that_is_not_free_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("from"), b"from").unwrap();
    fs::write(path("file"), b"file").unwrap();
    fs::create_dir(path("folder")).unwrap();
    std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
    for there in ["file", "folder", "link"] {
        assert_eq!(rename_to_free(&path("from"), &path(there)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
    rename_to_free(&path("from"), &path("free")).unwrap();
    assert_eq!((fs::read(path("free")).unwrap(), path("from").exists()), (b"from".to_vec(), false));
    assert_eq!(rename_to_free(&path("from"), &path("other")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn removing_takes_a_link_and_not_what_it_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("kept/inner")).unwrap();
    fs::create_dir(path("gone")).unwrap();
    for link in ["link", "gone/link"] {
        std::os::unix::fs::symlink(path("kept"), path(link)).unwrap();
    }
    remove(&path("link")).unwrap();
    remove(&path("gone")).unwrap();
    assert_eq!((names(folder.path()), names(&path("kept"))), (vec!["kept".to_owned()], vec!["inner".to_owned()]));
    assert_eq!(remove(&path("gone")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn the_owner_is_let_into_every_folder_and_through_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("closed/deeper/deepest")).unwrap();
    fs::create_dir(path("outside")).unwrap();
    fs::write(path("closed/file"), b"").unwrap();
    std::os::unix::fs::symlink(path("outside"), path("closed/link")).unwrap();
    let mode = |name: &str| fs::metadata(path(name)).unwrap().mode() & 0o777;
    for name in ["outside", "closed/file", "closed/deeper/deepest", "closed/deeper", "closed"] {
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o500)).unwrap();
    }
    open_up(&path("closed")).unwrap();
    assert_eq!(["closed", "closed/deeper", "closed/deeper/deepest"].map(mode), [0o700; 3]);
    assert_eq!(["outside", "closed/file"].map(mode), [0o500; 2]);
}

#[test]
fn what_a_program_that_is_stopped_has_begun_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (file, made) = (named(folder.path(), b"half"), folder_of(folder.path(), "half"));
    let paths = [&file, &made].map(|partial| partial.path().unwrap().to_owned());
    // One that is gone already keeps no other.
    let mut pending = [vec![folder.path().join("missing")], paths.to_vec()].concat();
    remove_all(&mut pending);
    assert!(pending.is_empty() && names(folder.path()).is_empty());
    drop((file, made));
}
