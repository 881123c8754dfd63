use std::fs;
use std::os::unix::fs::MetadataExt;

use super::*;

struct Desk {
    folder: tempfile::TempDir,
    inbox: Inbox,
}

impl Desk {
    /// With these files, and what they are taken to be.
    fn with(files: &[(&str, &str)]) -> (Self, Arrival) {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let arrival = inbox.look().unwrap().arrivals.remove(0);
        (Self { folder, inbox }, arrival)
    }

    fn copies(&self) -> Vec<(String, String)> {
        let Ok(entries) = fs::read_dir(self.folder.path().join(".docker_delta-watch/copy")) else { return Vec::new() };
        let text =
            |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap());
        let mut copies: Vec<_> = entries.map(|entry| text(entry.unwrap())).collect();
        copies.sort();
        copies
    }
}

fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const FILES: [(&str, &str); 3] = [("a", "package"), ("a.minisig", "signature"), ("a.sha256", "digest")];

#[test]
fn all_that_belongs_to_a_package_is_copied_for_its_owner_alone() {
    let (desk, arrival) = Desk::with(&FILES);
    let Copied::Whole(copy) = desk.inbox.copy(&arrival).unwrap() else { panic!("nothing changed") };
    assert_eq!(desk.copies(), pairs(&FILES));
    for (name, _) in FILES {
        assert_eq!(fs::metadata(copy.folder().join(name)).unwrap().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!((copy.package().to_str(), copy.missing_volumes().len()), (Some("a"), 0));
    drop(copy);
    assert!(desk.copies().is_empty());
    assert_eq!(fs::read(desk.folder.path().join("a")).unwrap(), b"package");
}

#[test]
fn what_a_run_that_was_killed_copied_is_in_nobodys_way() {
    let (desk, arrival) = Desk::with(&FILES);
    let Copied::Whole(copy) = desk.inbox.copy(&arrival).unwrap() else { panic!("nothing changed") };
    // It had no time to end.
    std::mem::forget(copy);
    fs::write(desk.folder.path().join(".docker_delta-watch/copy/of another package"), "old").unwrap();
    let Copied::Whole(_copy) = desk.inbox.copy(&arrival).unwrap() else { panic!("nothing changed") };
    assert_eq!(desk.copies(), pairs(&FILES));
}

#[test]
fn one_file_that_changed_is_enough_to_copy_none() {
    let changes: [&dyn Fn(&Path); 3] = [
        &|path| fs::remove_file(path).unwrap(),
        &|path| fs::write(path, "another length").unwrap(),
        // The same bytes, but for others it is another file.
        &|path| {
            fs::copy(path, path.with_extension("new")).unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        },
    ];
    for (name, _) in FILES {
        for change in changes {
            let (desk, arrival) = Desk::with(&FILES);
            change(&desk.folder.path().join(name));
            let copied = desk.inbox.copy(&arrival).unwrap();
            assert!(matches!(copied, Copied::Changed), "{name}");
            assert!(desk.copies().is_empty(), "{name}");
        }
    }
}

#[test]
fn volumes_that_are_none_miss_nothing() {
    let (desk, arrival) = Desk::with(&[("a.001", "ddvolume and no header"), ("a.002", "damaged")]);
    let Copied::Whole(copy) = desk.inbox.copy(&arrival).unwrap() else { panic!("nothing changed") };
    assert_eq!((copy.package().to_str(), copy.missing_volumes().len()), (Some("a.001"), 0));
}

#[test]
fn what_no_disk_has_room_for_is_not_begun() {
    let (desk, mut arrival) = Desk::with(&FILES);
    arrival.parts[1].facts.bytes = 1 << 60;
    let error = desk.inbox.copy(&arrival).unwrap_err();
    assert!(error.to_string().starts_with("a copy that nobody else can change needs "), "{error}");
    assert!(error.hint().unwrap().contains("as much as the package"), "{error:?}");
    assert!(desk.copies().is_empty());
}

#[test]
fn a_folder_in_the_place_of_the_copies_is_not_emptied() {
    let (desk, arrival) = Desk::with(&FILES);
    fs::create_dir_all(desk.folder.path().join(".docker_delta-watch/copy/sub/folder")).unwrap();
    let error = desk.inbox.copy(&arrival).unwrap_err();
    assert!(error.to_string().starts_with("copying "), "{error}");
    assert!(desk.folder.path().join(".docker_delta-watch/copy/sub/folder").exists());
}
