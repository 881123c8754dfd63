use std::fs::File;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A folder that is not there yet.
fn kept() -> (tempfile::TempDir, KeptBases) {
    let folder = tempfile::tempdir().unwrap();
    let kept = KeptBases::new(folder.path().join("cache/docker_delta/bases"));
    (folder, kept)
}

fn layer(number: u8) -> DiffId {
    DiffId::of(&[number])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Makes an index that was used so many minutes ago.
fn used_before(kept: &KeptBases, layer: DiffId, minutes: u64) {
    let file = File::open(kept.path(layer)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).unwrap();
}

fn names(kept: &KeptBases) -> Vec<String> {
    fs::read_dir(&kept.folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn what_is_kept_comes_back_to_this_user_alone() {
    let (_folder, kept) = kept();
    assert_eq!(kept.load(layer(1)), None);
    assert!(!kept.folder.exists(), "nothing is made before something is kept");
    kept.store(layer(1), b"one");
    kept.store(layer(2), b"two");
    kept.store(layer(1), b"another one");
    let again = KeptBases::new(kept.folder.clone());
    assert_eq!(again.load(layer(1)).as_deref(), Some(&b"another one"[..]));
    assert_eq!(again.load(layer(2)).as_deref(), Some(&b"two"[..]));
    assert_eq!(again.load(layer(3)), None);
    assert_eq!((mode(&kept.folder), mode(&kept.path(layer(1)))), (0o700, 0o600));
    assert_eq!(names(&kept).len(), 2);
}

#[test]
fn those_that_were_not_used_for_longest_go_first() {
    let (_folder, mut kept) = kept();
    kept.most = 3 * KEPT_FILE_BYTES;
    for (number, minutes) in [(1, 30), (2, 20), (3, 10)] {
        kept.store(layer(number), b"index");
        used_before(&kept, layer(number), minutes);
    }
    assert!(kept.load(layer(1)).is_some(), "which counts as a use");
    kept.store(layer(4), b"index");
    let there = |numbers: [u8; 4]| numbers.map(|number| kept.path(layer(number)).exists());
    assert_eq!(there([1, 2, 3, 4]), [true, false, true, true]);
    let large = vec![0; usize::try_from(2 * KEPT_FILE_BYTES).unwrap()];
    kept.store(layer(5), &large);
    assert_eq!(there([1, 3, 4, 5]).iter().filter(|is_there| **is_there).count(), 2);
    assert!(kept.path(layer(5)).exists() && !kept.path(layer(3)).exists());
}

#[test]
fn kept_bases_bytes_are_what_all_may_take() {
    let (_folder, kept) = kept();
    (1..=8).for_each(|number| kept.store(layer(number), b"index"));
    let most = KEPT_BASES_BYTES - KEPT_FILE_BYTES;
    let lengthen = |number, length| File::options().write(true).open(kept.path(layer(number)))?.set_len(length);
    // They have holes, which count.
    (1..=8).for_each(|number| lengthen(number, most / 8).unwrap());
    (1..=8).for_each(|number| used_before(&kept, layer(number), 10 * u64::from(number)));
    kept.store(layer(9), b"index");
    assert_eq!(names(&kept).len(), 9);
    fs::remove_file(kept.path(layer(9))).unwrap();
    lengthen(1, most / 8 + 1).unwrap();
    used_before(&kept, layer(1), 10);
    kept.store(layer(9), b"index");
    assert!(names(&kept).len() == 8 && !kept.path(layer(8)).exists());
}

#[test]
fn kept_file_bytes_are_what_a_short_one_counts_for() {
    for (length, both) in [(1, true), (KEPT_FILE_BYTES, true), (KEPT_FILE_BYTES + 1, false)] {
        let (_folder, mut kept) = kept();
        kept.most = 2 * KEPT_FILE_BYTES;
        kept.store(layer(1), &vec![0; usize::try_from(length).unwrap()]);
        kept.store(layer(2), b"");
        assert_eq!((kept.path(layer(1)).exists(), kept.path(layer(2)).exists()), (both, true), "{length}");
    }
}

#[test]
fn one_that_is_larger_than_all_may_be_is_not_kept_and_nothing_goes_for_it() {
    let (_folder, mut kept) = kept();
    kept.most = 2 * KEPT_FILE_BYTES;
    kept.store(layer(1), b"index");
    let most = usize::try_from(kept.most).unwrap();
    kept.store(layer(2), &vec![0; most + 1]);
    assert!(kept.path(layer(1)).exists() && !kept.path(layer(2)).exists());
    kept.store(layer(2), &vec![0; most]);
    assert!(!kept.path(layer(1)).exists() && kept.path(layer(2)).exists());
}

#[test]
fn no_more_is_read_than_an_index_may_have() {
    let (_folder, kept) = kept();
    kept.store(layer(1), b"index");
    File::options().write(true).open(kept.path(layer(1))).unwrap().set_len(BASE_INDEX_BYTES + 9).unwrap();
    assert_eq!(kept.load(layer(1)).map(|index| index.len() as u64), Some(BASE_INDEX_BYTES));
}

#[test]
fn what_is_none_of_ours_stays_and_is_not_read() {
    let (folder, mut kept) = kept();
    kept.store(layer(1), b"index");
    fs::write(folder.path().join("precious"), b"precious").unwrap();
    fs::write(kept.folder.join("notes.txt"), [0; 1_000]).unwrap();
    symlink(folder.path().join("precious"), kept.path(layer(2))).unwrap();
    fs::create_dir(kept.path(layer(3))).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, kept.path(layer(4)), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    assert_eq!([2, 3, 4].map(|number| kept.load(layer(number))), [None, None, None]);
    kept.most = KEPT_FILE_BYTES;
    kept.store(layer(2), b"in the place of the link");
    kept.store(layer(3), b"in the place of the folder");
    assert_eq!(fs::read(folder.path().join("precious")).unwrap(), b"precious");
    assert!(kept.folder.join("notes.txt").exists() && kept.path(layer(3)).is_dir() && kept.path(layer(4)).exists());
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_another_writes_is_not() {
    let (_folder, kept) = kept();
    kept.store(layer(1), b"index");
    let [left, written] = ["left", "written"].map(|name| kept.folder.join(format!("{PARTIAL}{name}")));
    for (path, age) in [(&left, LEFT * 2), (&written, LEFT / 2)] {
        File::create(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }
    kept.store(layer(2), b"index");
    assert!(!left.exists() && written.exists());
}

#[test]
fn nothing_is_kept_where_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let [open, file, link] = ["open", "file", "link"].map(|name| folder.path().join(name));
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(&file, b"").unwrap();
    symlink(folder.path(), &link).unwrap();
    for place in [open.clone(), file.clone(), file.join("below"), link, PathBuf::from("/proc/none/bases")] {
        let kept = KeptBases::new(place);
        kept.store(layer(1), b"index");
        assert_eq!(kept.load(layer(1)), None, "{}", kept.folder.display());
    }
    // What others put there is not read either.
    fs::write(open.join(layer(1).hex()), b"index").unwrap();
    assert_eq!(KeptBases::new(open).load(layer(1)), None);
}

#[test]
fn runs_at_the_same_time_leave_whole_indexes() {
    let (_folder, mut kept) = kept();
    kept.most = 4 * KEPT_FILE_BYTES;
    let index = |number: u8| vec![number; 100_000];
    std::thread::scope(|scope| {
        for run in 0..4_u8 {
            let kept = &kept;
            scope.spawn(move || {
                for number in 0..40 {
                    kept.store(layer(number % 5), &index(run));
                    if let Some(found) = kept.load(layer(number % 5)) {
                        assert!(found.len() == 100_000 && found.iter().all(|byte| *byte == found[0]));
                    }
                }
            });
        }
    });
    assert!(names(&kept).iter().all(|name| !name.starts_with(PARTIAL)));
}
