use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::super::Inbox;
use super::*;

#[test]
fn one_at_a_time_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Inbox::open(folder.path()).unwrap();
    let error = Inbox::open(folder.path()).unwrap_err();
    let process = format!("watched by another docker_delta already (process {})", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
    drop(first);
    Inbox::open(folder.path()).unwrap();
}

#[test]
fn what_others_can_write_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(NAME);
    std::fs::create_dir(&own).unwrap();
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Inbox::open(folder.path()).unwrap_err().to_string().contains("others can write"));
    std::fs::remove_dir(&own).unwrap();
    std::os::unix::fs::symlink("/tmp", &own).unwrap();
    let error = Inbox::open(folder.path()).unwrap_err();
    assert!(error.hint().unwrap().contains("something else has the name"), "{error}");
}

fn own(folder: &tempfile::TempDir) -> Result<OwnFolder> {
    OwnFolder::open(folder.path(), File::open(folder.path()).unwrap().as_fd())
}

#[test]
fn the_folder_is_for_its_owner_alone_to_write() {
    for (mode, is_ours) in
        [(0o700, true), (0o755, true), (0o711, true), (0o720, false), (0o702, false), (0o722, false), (0o777, false)]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(own(&folder).is_ok(), is_ours, "{mode:o}");
    }
    let folder = tempfile::tempdir().unwrap();
    drop(own(&folder).unwrap());
    assert_eq!(fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode() & 0o777, 0o700);
    chown(folder.path().join(NAME), Some(1234), None).unwrap();
    let error = own(&folder).unwrap_err();
    let path = folder.path().join(NAME);
    assert_eq!(error.to_string(), format!("others can write into {}, so nothing is safe there", path.display()));
    assert!(error.hint().unwrap().ends_with(&format!("rm -r {}", path.display())), "{error:?}");
}

#[test]
fn a_file_of_it_is_written_in_one_step_and_read_up_to_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let own = own(&folder).unwrap();
    assert!(own.read("plan", 100).unwrap().is_none());
    // Of a run that was killed while it wrote.
    fs::write(folder.path().join(NAME).join("plan.partial"), b"half of something longer").unwrap();
    for text in ["first, and longer", "second"] {
        own.write("plan", text.as_bytes()).unwrap();
        assert_eq!(own.read("plan", 100).unwrap().unwrap(), text.as_bytes());
    }
    for (most, expected) in [(0, ""), (3, "sec"), (6, "second"), (7, "second")] {
        assert_eq!(own.read("plan", most).unwrap().unwrap(), expected.as_bytes(), "{most}");
    }
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join(NAME)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["lock", "plan"]);
    symlink("plan", folder.path().join(NAME).join("link")).unwrap();
    assert!(own.read("link", 100).is_err());
}

#[test]
fn the_lock_says_which_process_has_it_whatever_was_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join(NAME).join(LOCK);
    drop(own(&folder).unwrap());
    fs::write(&lock, "12345678901234567890\nand more").unwrap();
    let held = own(&folder).unwrap();
    assert_eq!(fs::read_to_string(&lock).unwrap(), format!("{}\n", std::process::id()));
    fs::write(&lock, "12345678901234567890 and more").unwrap();
    let error = own(&folder).unwrap_err().to_string();
    assert!(error.ends_with("(process 12345678901234567890)"), "{error}");
    drop(held);
    // A link in its place is not followed.
    fs::remove_file(&lock).unwrap();
    fs::write(folder.path().join("other"), b"somebody else's").unwrap();
    symlink("../other", &lock).unwrap();
    assert!(own(&folder).is_err());
    assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"somebody else's");
}

#[test]
fn why_a_folder_cannot_be_had_is_told_with_the_way_out() {
    for (errno, expected) in [
        (Errno::ROFS, "copy them into a folder that can be written to"),
        (Errno::NOTDIR, "something else has the name"),
        (Errno::LOOP, "something else has the name"),
        (Errno::ACCESS, "it must be writable for the user who watches"),
        (Errno::PERM, "it must be writable for the user who watches"),
    ] {
        let error = unwritable(Path::new("/in"), errno.into());
        assert!(error.hint().unwrap().contains(expected), "{errno}: {error:?}");
        assert!(error.to_string().starts_with("making .docker_delta-watch, done and failed in /in: "), "{error}");
        assert_eq!(error.kind(), delta_core::error::Kind::Environment);
    }
}
