//! What is said of a set that is opened, and what repairing it writes.

use std::sync::Mutex;

use super::*;

/// Eight blocks of data in four volumes, and four of parity in two.
fn with_parity() -> (Desk, Split) {
    let desk = Desk::new();
    let split = desk.split(&noise(8 * BLOCK - 5, 1), "50%");
    assert_eq!((split.set.layout.data_volumes(), split.set.layout.volumes()), (4, 6));
    desk.write("app", &split, GENTLY).unwrap();
    (desk, split)
}

fn whole() -> Vec<u8> {
    noise(8 * BLOCK - 5, 1)
}

/// The error, as the user sees it but for where the folder is.
fn said(desk: &Desk, name: &str) -> (Kind, String, Option<String>) {
    let error = desk.open(name, Depth::Needed).map(|_| ()).unwrap_err();
    let folder = format!("{}/", desk.folder.path().display());
    (error.kind(), error.to_string().replace(&folder, ""), error.hint().map(str::to_owned))
}

#[test]
fn a_set_that_is_whole_has_no_faults_and_parity_is_looked_at_where_all_is() {
    let (desk, split) = with_parity();
    for (depth, looked_at, files) in [(Depth::Needed, 4, 6), (Depth::All, 6, 6)] {
        let opened = desk.open("app.001", depth).unwrap().unwrap();
        assert!(all(&opened.bytes) == whole() && opened.set == split.set);
        assert_eq!((opened.restored_blocks, opened.faults()), (0, Vec::new()));
        assert_eq!(opened.states.iter().filter(|state| state.whole).count(), looked_at);
        assert_eq!(opened.files.len(), files);
    }
    assert!(desk.told.taken().iter().all(|told| told.starts_with("writing")));
}

#[test]
fn damaged_parity_is_a_fault_where_all_is_looked_at_and_lost_parity_is_none() {
    let (desk, _) = with_parity();
    fs::remove_file(desk.path("app.006")).unwrap();
    desk.turn("app.005", BLOCK);
    let needed = desk.open("app.001", Depth::Needed).unwrap().unwrap();
    assert_eq!(needed.faults(), Vec::<String>::new());
    let opened = desk.open("app.001", Depth::All).unwrap().unwrap();
    let damaged = format!("{} is damaged in 1 of 2 blocks", desk.path("app.005").display());
    assert_eq!((opened.restored_blocks, opened.faults()), (0, vec![damaged]));
}

#[test]
fn as_many_blocks_come_back_as_there_is_parity_and_not_one_more() {
    let (desk, _) = with_parity();
    fs::remove_file(desk.path("app.002")).unwrap();
    fs::remove_file(desk.path("app.004")).unwrap();
    let opened = desk.open("app.001", Depth::Needed).unwrap().unwrap();
    assert!(all(&opened.bytes) == whole());
    assert_eq!(
        (opened.restored_blocks, opened.faults()),
        (4, vec!["app.002 is missing".to_owned(), "app.004 is missing".to_owned()])
    );
    desk.turn("app.001", 2 * BLOCK);
    let (kind, message, hint) = said(&desk, "app.001");
    let expected = "app.001: of 6 volumes are missing: app.002, app.004; app.001 is damaged in 1 of 2 blocks; \
                    5 blocks of data are lost, and 4 of parity are there";
    assert_eq!((kind, message.as_str()), (Kind::Environment, expected));
    assert!(hint.unwrap().contains("--volumes DIR"));
    desk.turn("app.001", 2 * BLOCK);
    desk.turn("app.006", BLOCK);
    let (kind, message, _) = said(&desk, "app.001");
    assert_eq!(kind, Kind::Environment);
    assert!(
        message
            .ends_with("; app.006 is damaged in 1 of 2 blocks; 4 blocks of data are lost, and 3 of parity are there"),
        "{message}"
    );
}

#[test]
fn what_is_missing_is_said_in_the_number_that_it_has() {
    let (desk, _) = five_blocks();
    fs::remove_file(desk.path("app.002")).unwrap();
    assert_eq!(said(&desk, "app.001").1, "app.001: of 3 volumes is missing: app.002");
    fs::remove_file(desk.path("app.003")).unwrap();
    assert_eq!(said(&desk, "app.001").1, "app.001: of 3 volumes are missing: app.002, app.003");
    assert_eq!(said(&desk, "app").1, "app: of 3 volumes are missing: app.002, app.003");
}

#[test]
fn damage_alone_is_the_content_and_is_named_file_by_file() {
    let (desk, _) = five_blocks();
    desk.turn("app.001", BLOCK);
    desk.turn("app.003", BLOCK);
    fs::copy(desk.path("app.002"), desk.path("photo")).unwrap();
    let (kind, message, hint) = said(&desk, "app.001");
    let expected = "app.001: app.001 is damaged in 1 of 2 blocks; app.003 is damaged in 1 of 1 blocks; \
                    photo is volume 2, whatever it is called";
    assert_eq!((kind, message.as_str()), (Kind::Content, expected));
    assert_eq!(hint.as_deref(), Some("copy what is damaged again from where it was made"));
}

#[test]
fn a_user_is_told_what_the_files_are_if_they_are_called_otherwise() {
    let (desk, _) = five_blocks();
    desk.told.taken();
    fs::rename(desk.path("app.002"), desk.path("photo")).unwrap();
    let opened = desk.open("app.001", Depth::Needed).unwrap().unwrap();
    assert_eq!(opened.faults(), Vec::<String>::new());
    assert_eq!(desk.told.taken(), [format!("{} is volume 2, whatever it is called", desk.path("photo").display())]);
}

/// Somebody who is asked, and puts this file there.
struct Helpful<'a> {
    file: &'a Path,
    bytes: &'a [u8],
    asked: Mutex<Vec<Lack>>,
}

impl Ask for Helpful<'_> {
    fn is_anybody_there(&self) -> bool {
        true
    }

    fn next(&self, lack: &Lack) -> Result<Option<Vec<PathBuf>>> {
        let Lack { missing, volumes, folders } = lack;
        let lack = Lack { missing: missing.clone(), volumes: *volumes, folders: folders.clone() };
        let mut asked = self.asked.lock().unwrap();
        asked.push(lack);
        if asked.len() > 1 {
            return Ok(None);
        }
        fs::write(self.file, self.bytes).unwrap();
        Ok(Some(Vec::new()))
    }
}

#[test]
fn somebody_is_asked_for_what_is_missing_and_for_nothing_else() {
    let (desk, _) = five_blocks();
    let (path, lost) = (desk.path("app.001"), desk.path("app.002"));
    let bytes = fs::read(&lost).unwrap();
    let elsewhere = [PathBuf::from("/nowhere")];
    let ask = |bytes| Helpful { file: &lost, bytes, asked: Mutex::new(Vec::new()) };
    let with = |ask: &dyn Ask| open(Request { ask, folders: &elsewhere, ..desk.request(&path, Depth::Needed) });
    fs::remove_file(&lost).unwrap();
    let helpful = ask(&bytes);
    assert!(all(&with(&helpful).unwrap().unwrap().bytes) == noise(4 * BLOCK + 100, 1));
    let asked = helpful.asked.into_inner().unwrap();
    assert_eq!((asked.len(), &asked[0].missing, asked[0].volumes), (1, &vec!["app.002".to_owned()], 3));
    assert_eq!(asked[0].folders, [desk.folder.path(), Path::new("/nowhere")]);
    // What is there and damaged does not come back by asking.
    desk.turn("app.002", BLOCK);
    let helpful = ask(&bytes);
    is_refused(with(&helpful).map(|_| ()), Kind::Content, &["app.002 is damaged in 1 of 2 blocks"]);
    assert!(helpful.asked.into_inner().unwrap().is_empty());
    // Who has nothing that helps is asked again, until nobody answers.
    fs::remove_file(&lost).unwrap();
    let helpful = Helpful { file: &desk.path("letter"), bytes: b"Dear reader", asked: Mutex::new(Vec::new()) };
    is_refused(with(&helpful).map(|_| ()), Kind::Environment, &["is missing: app.002"]);
    assert_eq!(helpful.asked.into_inner().unwrap().len(), 2);
    assert!(!NobodyToAsk.is_anybody_there());
    let lack = Lack { missing: Vec::new(), volumes: 1, folders: Vec::new() };
    assert_eq!(NobodyToAsk.next(&lack).unwrap(), None);
}

#[test]
fn a_volume_that_is_named_and_lies_alone_is_looked_for_in_other_folders() {
    let (desk, _) = five_blocks();
    let alone = tempfile::tempdir().unwrap();
    let path = alone.path().join("app.002");
    fs::rename(desk.path("app.002"), &path).unwrap();
    let folders = [desk.folder.path().to_owned()];
    let request = Request { folders: &folders, ..desk.request(&path, Depth::All) };
    let opened = open(request).unwrap().unwrap();
    assert!(all(&opened.bytes) == noise(4 * BLOCK + 100, 1));
    let mut files = opened.files;
    files.sort();
    let mut expected = vec![path.clone(), desk.path("app.001"), desk.path("app.003")];
    expected.sort();
    assert_eq!(files, expected);
    is_refused(open(desk.request(&path, Depth::Needed)).map(|_| ()), Kind::Environment, &["missing: app.001, app.003"]);
}

#[test]
fn a_second_copy_is_read_only_where_the_first_has_faults() {
    let (desk, _) = five_blocks();
    fs::copy(desk.path("app.002"), desk.path("copy")).unwrap();
    let checked = || {
        desk.told.begun();
        desk.open("app.001", Depth::Needed).unwrap().unwrap();
        let mut begun = desk.told.begun();
        begun.sort();
        begun
    };
    let checking = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("Checking {}", desk.path(name).display())).collect()
    };
    assert_eq!(checked(), checking(&["app.001", "app.002", "app.003"]));
    desk.turn("app.002", BLOCK);
    assert_eq!(checked(), checking(&["app.001", "app.002", "app.003", "copy"]));
}

#[test]
fn parity_is_made_again_only_where_it_is_written_again() {
    let (desk, _) = with_parity();
    let path = desk.path("app.001");
    for (name, makes_parity) in [("app.002", false), ("app.006", true)] {
        desk.turn(name, 30);
        desk.told.begun();
        let repaired = repair(desk.request(&path, Depth::Needed), None).unwrap();
        assert_eq!(repaired.written, [desk.path(name)]);
        let begun = desk.told.begun();
        assert_eq!(begun.iter().any(|what| what.contains("arity")), makes_parity, "{begun:?}");
    }
}

#[test]
fn repair_writes_what_is_not_whole_and_nothing_else() {
    let (desk, _) = with_parity();
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    let before: Vec<_> = names(desk.folder.path()).iter().map(|name| read(name)).collect();
    let path = desk.path("app.001");
    let repaired = |output: Option<&Path>| repair(desk.request(&path, Depth::Needed), output).unwrap();
    assert!(repaired(None).written.is_empty());
    // Data, parity, a header, and a tail that is none of it.
    desk.turn("app.002", 2 * BLOCK);
    fs::remove_file(desk.path("app.004")).unwrap();
    desk.turn("app.005", 30);
    desk.cut("app.003", 3 * BLOCK + 1);
    let names_of =
        |volumes: &[u64]| volumes.iter().map(|volume| desk.path(&format!("app.00{volume}"))).collect::<Vec<_>>();
    let done = repaired(None);
    assert_eq!((done.written, done.opened.restored_blocks), (names_of(&[2, 3, 4, 5]), 3));
    let after: Vec<_> = names(desk.folder.path()).iter().map(|name| read(name)).collect();
    assert!(after == before);
    // Into another folder, all that is not whole, and what is bad stays.
    desk.turn("app.006", BLOCK);
    let elsewhere = desk.path("repaired");
    fs::create_dir(&elsewhere).unwrap();
    assert_eq!(repaired(Some(&elsewhere)).written, [elsewhere.join("app.006")]);
    assert!(fs::read(elsewhere.join("app.006")).unwrap() == before[5] && read("app.006") != before[5]);
    is_refused(
        repair(desk.request(&path, Depth::Needed), Some(&elsewhere)).map(|_| ()),
        Kind::Usage,
        &["app.006 exists already"],
    );
}

#[test]
fn repair_replaces_no_file_that_has_nothing_of_the_volume() {
    let (desk, _) = with_parity();
    let path = desk.path("app.001");
    fs::write(desk.path("app.003"), noise(3 * BLOCK, 99)).unwrap();
    let error = repair(desk.request(&path, Depth::Needed), None).map(|_| ()).unwrap_err();
    let words = format!(
        "{} has nothing in it of volume 3 of this set, so that it is not replaced",
        desk.path("app.003").display()
    );
    assert_eq!((error.kind(), error.to_string()), (Kind::Usage, words));
    assert!(error.hint().unwrap().contains("-o DIR"));
    assert!(fs::read(desk.path("app.003")).unwrap() == noise(3 * BLOCK, 99));
    // An empty file has nothing to lose.
    fs::write(desk.path("app.003"), b"").unwrap();
    assert_eq!(repair(desk.request(&path, Depth::Needed), None).unwrap().written, [desk.path("app.003")]);
    fs::write(desk.path("letter.001"), b"Dear reader").unwrap();
    let error = repair(desk.request(&desk.path("letter.001"), Depth::Needed), None).map(|_| ()).unwrap_err();
    assert!(error.to_string().ends_with("letter.001 is no volume of a package, so that nothing repairs it"), "{error}");
    assert!(error.kind() == Kind::Usage && error.hint().unwrap().contains("split PACKAGE --parity"));
}
