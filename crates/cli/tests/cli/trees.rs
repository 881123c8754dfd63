//! `file_delta` on folders: everything that rsync would bring.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{Folder, Ran, command, file_delta, finish, names, noise, real};

/// A folder with one of everything.
fn make(root: &Path, version: u64) {
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("deep").join("d".repeat(200)).join("e".repeat(200))).unwrap();
    fs::write(root.join("noise"), [noise(1, 200_000), noise(version, 100)].concat()).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"not-utf8-\xff\xfe")), format!("version {version}")).unwrap();
    fs::write(root.join("new\nline = 100 %"), format!("version {version}")).unwrap();
    fs::write(root.join("deep").join("f".repeat(255)), b"long name").unwrap();
    fs::write(root.join("first"), noise(version + 7, 3000)).unwrap();
    fs::hard_link(root.join("first"), root.join("second")).unwrap();
    symlink("no/such\ntarget", root.join("dangling")).unwrap();
    symlink("x".repeat(300), root.join("long-link")).unwrap();
    fs::hard_link(root.join("long-link"), root.join("same-link")).unwrap();
    fs::set_permissions(root.join("noise"), fs::Permissions::from_mode(0o4751)).unwrap();
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o1500)).unwrap();
    let word = |name: &str| root.join(name).to_str().unwrap().to_owned();
    File::create(root.join("sparse")).unwrap().set_len(300 << 20).unwrap();
    real("coreutils", "mkfifo", &[&word("fifo")]);
    fs::hard_link(root.join("fifo"), root.join("same-fifo")).unwrap();
    real("coreutils", "mknod", &[&word("device"), "c", "259", "70000"]);
    real("coreutils", "chown", &["1234:60001", &word("second")]);
    real("coreutils", "touch", &["-h", "-d", "1999-12-31 23:59:59.123456789", &word("dangling")]);
    real("coreutils", "touch", &["-d", "1960-01-02 03:04:05.5", &word("sparse")]);
    real("coreutils", "touch", &["-d", "1960-01-02 03:04:05", &word("fifo")]);
    xattr::set(root.join("first"), "user.key", b"\0\xff\nvalue\n").unwrap();
    xattr::set(root.join("first"), "user.a=b%3D", b"").unwrap();
    xattr::set(root.join("first"), OsStr::from_bytes(b"user.\xff\n"), b"x").unwrap();
    xattr::set(root.join("dangling"), "trusted.of-a-link", b"x").unwrap();
    real("libcap2-bin", "/usr/sbin/setcap", &["cap_dac_override,cap_fowner+ep", &word("first")]);
    real("acl", "setfacl", &["-m", "u:10:rw,g:10:r", &word("noise")]);
    real("acl", "setfacl", &["-d", "-m", "u:10:rwx", &word("empty")]);
    real("coreutils", "touch", &["-d", "2001-02-03 04:05:06", &word("deep")]);
}

fn same(one: &Path, other: &Path) {
    let done = Command::new("diff")
        .args(["-r", "--no-dereference", "--exclude=*fifo", "--exclude=device"])
        .args([one, other])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let mut open = vec![Path::new("").to_path_buf()];
    while let Some(name) = open.pop() {
        let (left, right) = (one.join(&name), other.join(&name));
        let (a, b) = (fs::symlink_metadata(&left).unwrap(), fs::symlink_metadata(&right).unwrap());
        let facts = |metadata: &fs::Metadata| {
            let links = if metadata.is_dir() { 0 } else { metadata.nlink() };
            let time = (metadata.mtime(), metadata.mtime_nsec());
            (metadata.mode(), metadata.uid(), metadata.gid(), time, metadata.rdev(), links)
        };
        assert_eq!(facts(&a), facts(&b), "{name:?}");
        let attributes = |path: &Path| -> BTreeMap<_, _> {
            xattr::list(path).unwrap().map(|key| (key.clone(), xattr::get(path, key).unwrap())).collect()
        };
        assert_eq!(attributes(&left), attributes(&right), "{name:?}");
        if a.is_dir() {
            open.extend(fs::read_dir(&left).unwrap().map(|entry| name.join(entry.unwrap().file_name())));
        }
    }
}

fn words(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs it as the ordinary user `nobody`, as whom the test may not run itself.
fn as_nobody(arguments: &[&str]) -> Ran {
    let inner = command("file_delta", arguments);
    let mut outer = Command::new("setpriv");
    outer.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(inner.get_program()).args(arguments);
    finish(&mut outer)
}

/// A folder into which `nobody` may write.
fn open_folder() -> Folder {
    let folder = Folder::new();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

#[test]
fn a_folder_comes_back_with_everything_whatever_the_times_of_the_base() {
    let folder = Folder::new();
    let (old, new, made) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("made"));
    make(&old, 1);
    make(&new, 2);
    let (delta, old_word, new_word, made_word) = (folder.file("delta"), words(&old), words(&new), words(&made));
    file_delta(&["create", &old_word, &new_word, &delta]).ok();
    assert!(fs::metadata(&delta).unwrap().len() < 30_000);
    // The receiver's copy has other times and owners.
    real("coreutils", "touch", &[old.join("noise").to_str().unwrap()]);
    real("coreutils", "chown", &["77:77", old.join("noise").to_str().unwrap()]);
    file_delta(&["apply", &old_word, &delta, &made_word]).ok();
    same(&new, &made);
    assert!(fs::metadata(made.join("sparse")).unwrap().blocks() < 100);
    for force in ["-v", "-f"] {
        file_delta(&["apply", force, &old_word, &delta, &made_word]).failed(2, &["exists already and is not empty"]);
        same(&new, &made);
    }
    fs::write(old.join("noise"), b"other").unwrap();
    let other = folder.file("other");
    file_delta(&["apply", &old_word, &delta, &other]).failed(4, &["OLD", "expected sha256:"]);
    assert!(!Path::new(&other).exists());
}

#[test]
fn a_base_is_the_same_without_hard_links_and_behind_a_link() {
    let folder = Folder::new();
    let (old, new, copy) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("copy"));
    make(&old, 1);
    make(&new, 2);
    std::os::unix::net::UnixListener::bind(old.join("socket")).unwrap();
    let delta = folder.file("delta");
    symlink(&old, folder.path().join("link")).unwrap();
    symlink(&new, folder.path().join("new-link")).unwrap();
    file_delta(&["create", &folder.file("link"), &folder.file("new-link"), &delta]).ok();
    real("coreutils", "cp", &["-rd", "--sparse=never", &words(&old), &words(&copy)]);
    file_delta(&["apply", &words(&copy), &delta, &folder.file("made")]).ok();
    same(&new, &folder.path().join("made"));
}

#[test]
fn an_ordinary_user_gets_files_that_may_not_be_written() {
    let folder = open_folder();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    fs::create_dir(&old).unwrap();
    fs::create_dir_all(new.join("closed")).unwrap();
    fs::write(new.join("closed/file"), b"content").unwrap();
    xattr::set(new.join("closed/file"), "user.key", b"value").unwrap();
    real("acl", "setfacl", &["-m", "u:10:r", &words(&new.join("closed/file"))]);
    real("coreutils", "chown", &["-R", "65534:65534", &words(&new)]);
    for (name, mode) in [("closed/file", 0o444), ("closed", 0o555), (".", 0o555)] {
        fs::set_permissions(new.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let [delta, made] = ["delta", "made"].map(|name| folder.file(name));
    as_nobody(&["create", &words(&old), &words(&new), &delta]).ok();
    let said = as_nobody(&["apply", &words(&old), &delta, &made]).ok().stderr;
    assert!(!said.contains("without"), "{said}");
    same(&new, Path::new(&made));
}

#[test]
fn what_only_root_can_give_is_said_and_left_out_when_asked() {
    let folder = open_folder();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    fs::create_dir(&old).unwrap();
    make(&new, 1);
    let delta = folder.file("delta");
    file_delta(&["create", &words(&old), &words(&new), &delta]).ok();
    let refused = as_nobody(&["apply", &words(&old), &delta, &folder.file("made")]);
    let expected = [
        "the attribute security.capability of",
        "the attribute trusted.of-a-link of",
        "the device of",
        "--no-xattrs",
        "--no-devices",
    ];
    refused.failed(3, &expected);
    let options = ["--no-xattrs", "--no-devices", "--json"];
    let made = folder.file("made");
    let all = ["apply", &words(&old), &delta, &made];
    let done = as_nobody(&[&all[..], &options].concat()).ok();
    for said in ["NEW goes without the owner of", "without the group of", "without the set-user-ID"] {
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["lost"].as_array().unwrap().len(), 3);
    let made = Path::new(&made);
    assert!(!made.join("device").exists());
    // Without the list, the group may do what it might do with it, and the file acts for nobody.
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
    assert_eq!((mode(&new.join("noise")), mode(&made.join("noise"))), (0o4771, 0o751));
    assert_eq!(names(folder.path()), ["delta", "made", "new", "old"]);
}

#[test]
fn root_may_leave_out_what_it_could_give() {
    let folder = Folder::new();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    fs::create_dir(&old).unwrap();
    make(&new, 1);
    let [delta, made] = ["delta", "made"].map(|name| folder.file(name));
    file_delta(&["create", &words(&old), &words(&new), &delta]).ok();
    let without = ["--no-owner", "--no-permissions", "--no-times", "--no-xattrs", "--no-devices"];
    file_delta(&[&["apply", &words(&old), &delta, &made][..], &without].concat()).ok();
    let found = fs::metadata(Path::new(&made).join("second")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777, found.nlink()), (0, 0o600, 2));
    assert!(found.mtime() > fs::metadata(new.join("second")).unwrap().mtime() - 5);
    assert_eq!(xattr::list(Path::new(&made).join("first")).unwrap().count(), 0);
    assert!(!Path::new(&made).join("device").exists());
}

#[test]
fn a_list_of_the_folder_around_is_not_inherited() {
    let folder = Folder::new();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    fs::create_dir(&old).unwrap();
    make(&new, 1);
    let [delta, around] = ["delta", "around"].map(|name| folder.file(name));
    file_delta(&["create", &words(&old), &words(&new), &delta]).ok();
    fs::create_dir(&around).unwrap();
    real("acl", "setfacl", &["-d", "-m", "u:10:rwx", &around]);
    fs::set_permissions(&around, fs::Permissions::from_mode(0o2777)).unwrap();
    let made = Path::new(&around).join("made");
    file_delta(&["apply", &words(&old), &delta, &words(&made)]).ok();
    same(&new, &made);
}

/// The stream of the tree NEW, as a package of it brings it.
fn stream_of(folder: &Folder, new: &Path) -> String {
    let (old, delta) = (folder.file("nothing"), folder.file("stream.delta"));
    fs::create_dir(&old).unwrap();
    let made = folder.file("stream");
    file_delta(&["create", "-m", "bsdiff", &old, &words(new), &delta]).ok();
    // The base of an empty folder: itself, without anything besides its name.
    let mut header = tar::Header::new_ustar();
    header.set_path(".").unwrap();
    header.set_entry_type(tar::EntryType::Directory);
    for (at, length) in [(100, 7), (108, 7), (116, 7), (124, 11), (136, 11), (329, 7), (337, 7)] {
        header.as_mut_bytes()[at..at + length].fill(b'0');
    }
    let bytes = header.as_mut_bytes();
    bytes[148..156].copy_from_slice(b"        ");
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let base = folder.write("base", &[&bytes[..], &[0; 1024]].concat());
    let inside = crate::support::unpack(&delta, &folder.path().join("inside")).join("layer_deltas");
    let member = fs::read_dir(inside).unwrap().next().unwrap().unwrap().path();
    real("bsdiff", "bspatch", &[&base, &made, &words(&member)]);
    made
}

#[test]
fn the_stream_is_a_tar_for_other_programs() {
    let folder = Folder::new();
    let new = folder.path().join("new");
    make(&new, 1);
    let stream = stream_of(&folder, &new);
    let [gnu, bsd] = ["gnu", "bsd"].map(|name| folder.path().join(name));
    for made in [&gnu, &bsd] {
        fs::create_dir(made).unwrap();
    }
    real(
        "tar",
        "tar",
        &["-xpf", &stream, "--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "-C", &words(&gnu)],
    );
    same(&new, &gnu);
    // bsdtar knows no escapes in names of attributes.
    fs::remove_file(new.join("second")).unwrap();
    real("libarchive-tools", "bsdtar", &["-xpf", &stream, "--numeric-owner", "-C", &words(&bsd)]);
    assert!(fs::read(bsd.join("noise")).unwrap() == fs::read(new.join("noise")).unwrap());
    assert_eq!(fs::metadata(bsd.join("sparse")).unwrap().len(), 300 << 20);
    assert_eq!(fs::read_link(bsd.join("same-link")).unwrap(), fs::read_link(new.join("same-link")).unwrap());
}
