//! What volumes may replace, which of them stay, and how they are proved.

use super::super::write::{check, is_whole, prove};
use super::*;
use crate::fixtures::Files;

/// Five blocks of other bytes, in volumes as those of [`five_blocks`].
fn other(desk: &Desk, blocks: usize) -> Split {
    desk.split(&noise(blocks * BLOCK, 77), "")
}

fn kept(written: &[WrittenVolume]) -> Vec<bool> {
    written.iter().map(|volume| volume.kept).collect()
}

fn held(desk: &Desk) -> Files {
    let read = |name: String| (name.clone(), fs::read(desk.path(&name)).unwrap());
    names(desk.folder.path()).into_iter().map(read).collect()
}

#[test]
fn each_volume_is_told_with_its_file_and_its_length() {
    let desk = Desk::new();
    let split = desk.split(&noise(4 * BLOCK + 100, 1), "");
    let written = desk.write("app", &split, GENTLY).unwrap();
    let told: Vec<_> = written.iter().map(|one| (one.volume, one.file.clone(), one.bytes, one.kept)).collect();
    let of = |volume: u64, bytes| (volume, desk.path(&format!("app.00{volume}")), bytes, false);
    assert_eq!(told, [of(1, 12_288), of(2, 12_288), of(3, 4_196)]);
    for (_, file, bytes, _) in told {
        assert_eq!(fs::metadata(file).unwrap().len(), bytes);
    }
}

#[test]
fn what_is_there_stays_unless_it_may_be_replaced() {
    let (desk, split) = five_blocks();
    let before = held(&desk);
    let error = desk.write("app", &split, GENTLY).unwrap_err();
    assert!(error.kind() == Kind::Usage && error.to_string().contains("app.001 exists already"), "{error}");
    assert_eq!(error.hint(), Some("go on with --resume, or replace it with -f"));
    let error = desk.write("app", &other(&desk, 5), GENTLY).unwrap_err();
    assert!(error.kind() == Kind::Usage && error.to_string().contains("app.001 exists already"), "{error}");
    assert!(held(&desk) == before);
    for how in [RESUMED, BY_FORCE] {
        assert_eq!(kept(&desk.write("app", &split, how).unwrap()), [true, true, true]);
    }
    assert!(held(&desk) == before);
    for damage in [&(|| desk.turn("app.002", BLOCK)) as &dyn Fn(), &|| desk.cut("app.002", 3 * BLOCK + 1), &|| {
        desk.cut("app.002", 3 * BLOCK - 1);
    }] {
        for how in [RESUMED, BY_FORCE] {
            damage();
            assert_eq!(kept(&desk.write("app", &split, how).unwrap()), [true, false, true]);
            assert!(held(&desk) == before);
        }
    }
}

#[test]
fn a_run_that_goes_on_replaces_nothing_of_another_set() {
    let (desk, split) = five_blocks();
    let before = held(&desk);
    let error = desk.write("app", &other(&desk, 5), RESUMED).unwrap_err();
    let words = format!(
        "{} is a volume of another package ({}) or of another cut, so that --resume cannot go on with it",
        desk.path("app.001").display(),
        split.set.whole.short()
    );
    assert_eq!((error.kind(), error.to_string()), (Kind::Usage, words));
    assert!(error.hint().unwrap().contains("-f"));
    assert!(held(&desk) == before);
    let both = How { force: true, resume: true };
    assert_eq!(kept(&desk.write("app", &other(&desk, 5), both).unwrap()), [false, false, false]);
    // A volume of this set under the name of another of it is no volume that goes on.
    desk.write("app", &split, BY_FORCE).unwrap();
    fs::copy(desk.path("app.001"), desk.path("app.002")).unwrap();
    let error = desk.write("app", &split, RESUMED).unwrap_err();
    assert!(error.to_string().contains("app.002 is a volume of another package"), "{error}");
}

#[test]
fn what_is_no_volume_is_never_replaced() {
    for how in [GENTLY, RESUMED, BY_FORCE] {
        let desk = Desk::new();
        fs::write(desk.path("app.002"), b"Dear reader").unwrap();
        let error = desk.write("app", &other(&desk, 5), how).unwrap_err();
        assert!(error.kind() == Kind::Usage && error.to_string().contains("app.002 exists already"), "{error}");
        assert_eq!(names(desk.folder.path()), ["app.002"], "nothing is written before all may be");
        assert_eq!(fs::read(desk.path("app.002")).unwrap(), b"Dear reader");
        fs::remove_file(desk.path("app.002")).unwrap();
        fs::create_dir(desk.path("app.003")).unwrap();
        let error = desk.write("app", &other(&desk, 5), how).unwrap_err();
        assert!(error.kind() == Kind::Usage && error.to_string().contains("app.003 is a folder"), "{error}");
    }
}

#[test]
fn volumes_behind_the_last_go_with_the_set_that_they_are_of() {
    let (desk, _) = five_blocks();
    let third = desk.split(&noise(9 * BLOCK, 5), "");
    desk.write("third", &third, GENTLY).unwrap();
    fs::copy(desk.path("third.004"), desk.path("app.004")).unwrap();
    fs::copy(desk.path("app.003"), desk.path("app.005")).unwrap();
    fs::write(desk.path("app.006"), b"Dear reader").unwrap();
    let written = desk.write("app", &other(&desk, 2), BY_FORCE).unwrap();
    assert_eq!(written.len(), 1);
    let left: Vec<_> = names(desk.folder.path()).into_iter().filter(|name| name.starts_with("app")).collect();
    // The volumes of the set that was replaced are gone; those of a third, what is called otherwise, and a letter are not.
    assert_eq!(left, ["app.001", "app.004", "app.005", "app.006"]);
}

#[test]
fn the_last_of_all_volumes_is_looked_at_too() {
    let (desk, _) = five_blocks();
    let many = Layout::plan(1_998 * BLOCK as u64, Some(3 * BLOCK as u64 + 61_440), Parity::default()).unwrap();
    assert_eq!(many.volumes(), 999);
    let blocks = vec![BlobDigest::of(b"block"); 1_998];
    let set = Set { layout: many, whole: BlobDigest::of(b"whole"), blocks };
    fs::write(desk.path("app.001"), set.header(1)).unwrap();
    fs::write(desk.path("app.999"), set.header(999)).unwrap();
    desk.write("app", &other(&desk, 2), BY_FORCE).unwrap();
    assert!(!desk.path("app.999").exists());
}

#[test]
fn the_first_volume_is_asked_for_before_any_work() {
    let (desk, _) = five_blocks();
    let check = |name: &str, how: How, most: Option<u64>| {
        let stem = desk.path(name);
        check(desk.write_request(&stem, how), most)
    };
    for (name, how) in [("new", GENTLY), ("app", RESUMED), ("app", BY_FORCE)] {
        check(name, how, Some(u64::MAX)).unwrap();
    }
    let error = check("app", GENTLY, None).unwrap_err();
    assert_eq!(
        (error.kind(), error.hint()),
        (Kind::Usage, Some("go on with --resume, or replace the volumes with -f"))
    );
    fs::write(desk.path("letter.001"), b"Dear reader").unwrap();
    for how in [GENTLY, RESUMED, BY_FORCE] {
        let error = check("letter", how, None).unwrap_err();
        assert!(error.kind() == Kind::Usage && !error.hint().unwrap().contains("--resume"), "{error}");
    }
    is_refused(check("missing/app", GENTLY, None), Kind::Environment, &["missing does not exist"]);
}

#[test]
fn what_this_run_reads_is_no_place_for_a_volume() {
    let (mut desk, split) = five_blocks();
    desk.inputs = Inputs::of([desk.path("app.002").as_path()]);
    desk.turn("app.002", BLOCK);
    let error = desk.write("app", &split, BY_FORCE).unwrap_err();
    assert!(error.to_string().contains("which this run reads, cannot be written"), "{error}");
}

#[test]
fn a_volume_is_whole_to_the_last_byte_or_it_is_not() {
    let (desk, split) = five_blocks();
    let path = desk.path("app.002");
    let whole = fs::read(&path).unwrap();
    let is = |volume: u64| is_whole(&split.set, volume, &path).unwrap();
    assert!(is(2) && !is(1) && !is(3));
    for at in [0, 12, 13, 95, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, 3 * BLOCK - 1] {
        desk.turn("app.002", at);
        assert!(!is(2), "{at}");
        let error = prove(&split.set, 2, &path).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is not what was written there", path.display()));
        assert_eq!((error.kind(), error.hint()), (Kind::Environment, Some("the medium fails; try another one")));
        desk.turn("app.002", at);
    }
    for length in [0, 95, BLOCK, 3 * BLOCK - 1, 3 * BLOCK + 1] {
        desk.cut("app.002", length);
        assert!(!is(2), "{length}");
        fs::write(&path, &whole).unwrap();
    }
    prove(&split.set, 2, &path).unwrap();
    let others = other(&desk, 5);
    assert!(!is_whole(&others.set, 2, &path).unwrap());
    for other in [desk.path("missing"), desk.folder.path().to_owned()] {
        assert!(!is_whole(&split.set, 2, &other).unwrap());
        is_refused(prove(&split.set, 2, &other), Kind::Environment, &["is not what was written there"]);
    }
}

#[test]
fn volumes_may_be_read_back_before_they_have_their_names() {
    let desk = Desk::new();
    let split = desk.split(&noise(3 * BLOCK, 1), "");
    let stem = desk.path("app");
    let written = write(&split, WriteRequest { reads_back: true, ..desk.write_request(&stem, GENTLY) }).unwrap();
    assert_eq!((written.len(), names(desk.folder.path()).len()), (2, 2));
    assert!(all(&desk.open("app", Depth::All).unwrap().unwrap().bytes) == noise(3 * BLOCK, 1));
}
