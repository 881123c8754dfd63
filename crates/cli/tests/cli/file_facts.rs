//! `file_delta` on single files: what they are besides their bytes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::support::{Folder, file_delta, noise, real};

fn facts(path: &str) -> (u32, u32, u32, i64, i64) {
    let found = fs::metadata(path).unwrap();
    (found.mode(), found.uid(), found.gid(), found.mtime(), found.mtime_nsec())
}

#[test]
fn a_file_comes_back_with_all_that_it_is() {
    let folder = Folder::new();
    let (old, new) = (folder.write("old", &noise(1, 50_000)), folder.write("new", &noise(1, 60_000)));
    let [delta, made] = ["delta", "made"].map(|name| folder.file(name));
    real("coreutils", "chown", &["1234:4321", &new]);
    fs::set_permissions(&new, fs::Permissions::from_mode(0o4750)).unwrap();
    xattr::set(&new, "user.key", b"a\nb").unwrap();
    real("libcap2-bin", "/usr/sbin/setcap", &["cap_dac_override,cap_fowner+ep", &new]);
    real("coreutils", "touch", &["-d", "1960-01-02 03:04:05.5", &new]);
    file_delta(&["create", &old, &new, &delta]).ok();
    for force in ["-v", "-f"] {
        file_delta(&["apply", force, &old, &delta, &made]).ok();
        assert_eq!((fs::read(&made).unwrap(), facts(&made)), (fs::read(&new).unwrap(), facts(&new)));
        for name in ["user.key", "security.capability"] {
            assert_eq!(xattr::get(&made, name).unwrap(), xattr::get(&new, name).unwrap(), "{name}");
        }
        fs::set_permissions(&made, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let plain = folder.file("plain");
    file_delta(&["apply", "--no-owner", "--no-times", "--no-xattrs", &old, &delta, &plain]).ok();
    assert_eq!((facts(&plain).0 & 0o7777, facts(&plain).1), (0o750, 0));
    assert_eq!(xattr::list(Path::new(&plain)).unwrap().count(), 0);
}

#[test]
fn holes_of_a_file_stay_holes() {
    let folder = Folder::new();
    let (old, new) = (folder.write("old", b"old"), folder.write("new", b"new"));
    fs::File::options().write(true).open(&new).unwrap().set_len(300 << 20).unwrap();
    let [delta, made] = ["delta", "made"].map(|name| folder.file(name));
    file_delta(&["create", &old, &new, &delta]).ok();
    file_delta(&["apply", &old, &delta, &made]).ok();
    let found = fs::metadata(&made).unwrap();
    assert!(found.len() == 300 << 20 && found.blocks() < 1000);
}
