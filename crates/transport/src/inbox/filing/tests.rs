use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;

#[test]
fn names_get_numbers_and_keep_their_endings() {
    let name = |name: &str, number, most| String::from_utf8(numbered(name.as_bytes(), number, most)).unwrap();
    assert_eq!(name("app.ddelta", 1, 244), "app.ddelta");
    assert_eq!(name("app.ddelta", 2, 244), "app-2.ddelta");
    assert_eq!(name("app", 12, 244), "app-12");
    let long = format!("{}.ddelta", "n".repeat(248));
    assert_eq!(name(&long, 1, 244), format!("{}.ddelta", "n".repeat(237)));
    assert_eq!(name(&long, 2, 244).len(), 244);
    // A character of two bytes is not cut.
    assert_eq!(name(&format!("{}.d", "é".repeat(126)), 1, 244), format!("{}.d", "é".repeat(121)));
}

/// An inbox with these files, in which each arrival was looked at.
struct Desk {
    folder: tempfile::TempDir,
    inbox: Inbox,
}

impl Desk {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(folder.path()).unwrap();
        let desk = Self { folder, inbox };
        files.iter().for_each(|(name, bytes)| fs::write(desk.path(name), bytes).unwrap());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn only(&self) -> Arrival {
        let mut arrivals = self.inbox.look().unwrap().arrivals;
        assert_eq!(arrivals.len(), 1, "{arrivals:?}");
        arrivals.remove(0)
    }

    fn filed(&self, drawer: Drawer) -> Result<Filed> {
        self.inbox.file(&self.only(), drawer, "a report")
    }

    /// The files of a folder below it, with their contents; of folders the names alone.
    fn files(&self, name: &str) -> BTreeMap<String, String> {
        let file = |entry: fs::DirEntry| {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            (entry.file_name().into_string().unwrap(), text)
        };
        fs::read_dir(self.path(name)).unwrap().map(|entry| file(entry.unwrap())).collect()
    }

    /// The same of a drawer, by names alone.
    fn names(&self, name: &str) -> Vec<String> {
        self.files(name).into_keys().collect()
    }

    fn plan(&self, drawer: Drawer) -> FilingPlan {
        let folder = self.inbox.drawer(drawer).unwrap();
        planned(&self.only(), drawer, folder.as_fd()).unwrap()
    }

    /// Nothing is left of what was being moved.
    fn has_no_plan(&self) -> bool {
        self.names(".docker_delta-watch").iter().all(|name| ["lock", "copy"].contains(&name.as_str()))
    }
}

const VOLUMES: [(&str, &[u8]); 3] = [("a.001", b"ddvolume 1"), ("a.002", b"ddvolume 2"), ("a.sha256", b"digest")];

#[test]
fn all_files_get_the_same_number_and_the_report_beside_them() {
    for (taken, mark) in [
        (&[][..], ""),
        (&["a.002"], "-2"),
        (&["a.json"], "-2"),
        (&["a"], "-2"),
        (&["a.001", "a-2.sha256", "a-3.json"], "-4"),
        // Of another package, or of none.
        (&["b.001", "a.003", "a.error.json"], ""),
    ] {
        let desk = Desk::with(&VOLUMES);
        taken.iter().for_each(|name| fs::write(desk.path("done").join(name), b"before").unwrap());
        let filed = desk.filed(Drawer::Done).unwrap();
        let at = |name: &str| desk.path("done").join(name).display().to_string();
        let expected =
            Filed { package: at(&format!("a{mark}")), report: at(&format!("a{mark}.json")), left: Vec::new() };
        assert_eq!(filed, expected, "{taken:?}");
        let found = desk.files("done");
        let mut all: BTreeMap<String, String> =
            taken.iter().map(|name| ((*name).to_owned(), "before".to_owned())).collect();
        for (ending, text) in
            [(".001", "ddvolume 1"), (".002", "ddvolume 2"), (".sha256", "digest"), (".json", "a report")]
        {
            all.insert(format!("a{mark}{ending}"), text.to_owned());
        }
        assert_eq!(found, all, "{taken:?}");
        assert_eq!(desk.names(""), [".docker_delta-watch", "done", "failed"]);
        assert!(desk.has_no_plan());
    }
}

#[test]
fn what_was_refused_is_told_as_an_error() {
    let desk = Desk::with(&[("p.ddelta", b"package")]);
    let filed = desk.filed(Drawer::Failed).unwrap();
    assert!(filed.report.ends_with("/failed/p.ddelta.error.json"), "{filed:?}");
    assert_eq!(desk.names("failed"), ["p.ddelta", "p.ddelta.error.json"]);
    for (drawer, text) in [(Drawer::Done, "\"done\""), (Drawer::Failed, "\"failed\"")] {
        assert_eq!(
            (serde_json::to_string(&drawer).unwrap(), format!("\"{}\"", drawer.name())),
            (text.into(), text.into())
        );
    }
}

#[test]
fn names_in_a_drawer_are_no_longer_than_names_can_be() {
    for length in [243, 244, 245, 255] {
        let long = format!("{}.ddelta", "n".repeat(length - 7));
        let desk = Desk::with(&[(&long, b"package")]);
        desk.filed(Drawer::Failed).unwrap();
        let names = desk.names("failed");
        let most = LONGEST_NAME - ".error.json".len();
        assert_eq!(names.iter().map(String::len).collect::<Vec<_>>(), [length.min(most), length.min(most) + 11]);
        assert!(names[0].ends_with("n.ddelta"), "{names:?}");
    }
}

#[test]
fn what_a_run_that_was_killed_began_is_ended() {
    type Step = fn(&Desk, &FilingPlan);
    let steps: [Step; 4] = [
        |desk, _| fs::rename(desk.path(".docker_delta-watch/report.json"), desk.path("done/a.json")).unwrap(),
        |desk, plan| moved(desk, &plan.moves[0]),
        |desk, plan| moved(desk, &plan.moves[1]),
        |desk, plan| moved(desk, &plan.moves[2]),
    ];
    fn moved(desk: &Desk, one: &Move) {
        let [from, to] = [&one.from, &one.to].map(|name| str::from_utf8(name).unwrap().to_owned());
        fs::rename(desk.path(&from), desk.path("done").join(to)).unwrap();
    }
    for done in 0..=steps.len() {
        let desk = Desk::with(&VOLUMES);
        let plan = desk.plan(Drawer::Done);
        desk.inbox.own.write(REPORT, b"a report").unwrap();
        desk.inbox.own.write(PLAN, &serde_json::to_vec(&plan).unwrap()).unwrap();
        steps[..done].iter().for_each(|step| step(&desk, &plan));
        // The lock goes with the run.
        let Desk { folder, inbox } = desk;
        drop(inbox);
        let inbox = Inbox::open(folder.path()).unwrap();
        let desk = Desk { folder, inbox };
        assert_eq!(desk.names("done"), ["a.001", "a.002", "a.json", "a.sha256"], "{done}");
        assert_eq!(desk.names(""), [".docker_delta-watch", "done", "failed"], "{done}");
        assert!(desk.has_no_plan(), "{done}");
    }
}

#[test]
fn what_took_a_name_meanwhile_is_not_moved_for_another() {
    let desk = Desk::with(&VOLUMES);
    let plan = desk.plan(Drawer::Done);
    fs::remove_file(desk.path("a.001")).unwrap();
    fs::write(desk.path("a.002"), b"ddvolume, another").unwrap();
    desk.inbox.own.write(PLAN, &serde_json::to_vec(&plan).unwrap()).unwrap();
    let folder = desk.inbox.drawer(Drawer::Done).unwrap();
    let filed = desk.inbox.carry_out(&plan, folder.as_fd()).unwrap();
    assert_eq!(filed.left, ["a.001", "a.002"]);
    assert_eq!(desk.names("done"), ["a.sha256"]);
    assert_eq!(fs::read(desk.path("a.002")).unwrap(), b"ddvolume, another");
}

#[test]
fn all_files_stay_where_one_of_them_cannot_go() {
    let desk = Desk::with(&VOLUMES);
    let plan = desk.plan(Drawer::Done);
    // It was free when it was looked at.
    fs::create_dir(desk.path("done/a.sha256")).unwrap();
    desk.inbox.own.write(REPORT, b"a report").unwrap();
    desk.inbox.own.write(PLAN, &serde_json::to_vec(&plan).unwrap()).unwrap();
    let folder = desk.inbox.drawer(Drawer::Done).unwrap();
    let error = desk.inbox.carry_out(&plan, folder.as_fd()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(desk.names("done"), ["a.sha256"]);
    assert_eq!(desk.names(""), [".docker_delta-watch", "a.001", "a.002", "a.sha256", "done", "failed"]);
    assert!(desk.has_no_plan());
    // Nor is anything moved whose report has no place.
    fs::remove_dir(desk.path("done/a.sha256")).unwrap();
    fs::write(desk.path("done/a.json"), b"before").unwrap();
    desk.inbox.own.write(REPORT, b"a report").unwrap();
    desk.inbox.own.write(PLAN, &serde_json::to_vec(&plan).unwrap()).unwrap();
    assert!(desk.inbox.carry_out(&plan, folder.as_fd()).is_err());
    assert_eq!(desk.files("done"), [("a.json".to_owned(), "before".to_owned())].into());
    assert!(desk.path("a.001").exists() && desk.has_no_plan());
}

#[test]
fn a_plan_of_another_version_is_forgotten() {
    for text in [&b"{"[..], b"{}", br#"{"drawer":"elsewhere","package":[],"report":[],"moves":[]}"#, b""] {
        let desk = Desk::with(&VOLUMES);
        desk.inbox.own.write(PLAN, text).unwrap();
        desk.inbox.end_what_was_begun().unwrap();
        assert!(desk.has_no_plan());
        assert_eq!(desk.only().parts.len(), 3);
    }
}

#[test]
fn a_file_is_the_one_that_is_meant_by_all_that_is_known_of_its_content() {
    let facts = Facts { id: (1, 2), bytes: 3, modified: (4, 5), changed: (6, 7) };
    let meant = Move { from: Vec::new(), to: Vec::new(), id: (1, 2), bytes: 3, modified: (4, 5) };
    assert!(meant.is_of(&facts) && meant.is_of(&Facts { changed: (0, 0), ..facts }));
    assert!(!meant.is_of(&Facts { id: (1, 3), ..facts }));
    assert!(!meant.is_of(&Facts { bytes: 4, ..facts }));
    assert!(!meant.is_of(&Facts { modified: (4, 6), ..facts }));
}

#[test]
fn endings_and_characters_are_kept_whole() {
    assert_eq!(behind(OsStr::new("app.001"), b"app"), b".001");
    assert_eq!(behind(OsStr::new("app"), b"app"), b"");
    assert_eq!(behind(OsStr::new("other"), b"app"), b"");
    for (name, most, expected) in [
        (&b"abc"[..], 0, 0),
        (b"abc", 2, 2),
        (b"abc", 3, 3),
        ("aé".as_bytes(), 1, 1),
        ("aé".as_bytes(), 2, 1),
        ("aé".as_bytes(), 3, 3),
        ("€".as_bytes(), 2, 0),
        // What is no text has nothing to keep.
        (b"\x80\x80\x80", 2, 0),
        (b"\xff\xff\xff", 2, 2),
    ] {
        assert_eq!(at_a_character(name, most), expected, "{name:?} {most}");
    }
    let name = |text: &str, number, most| String::from_utf8(numbered(text.as_bytes(), number, most)).unwrap();
    assert_eq!(name(".hidden", 2, 244), ".hidden-2");
    assert_eq!(name("a.b.c", 3, 244), "a.b-3.c");
    assert_eq!(name("abcdef.d", 1, 8), "abcdef.d");
    assert_eq!(name("abcdef.d", 1, 7), "abcde.d");
    assert_eq!(name("abcdef.d", 10, 8), "abc-10.d");
}

#[test]
fn an_inbox_is_what_it_was_opened_as() {
    let desk = Desk::with(&[("p", b"package")]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(desk.folder.path(), elsewhere.path().join("way")).unwrap();
    assert_eq!(desk.inbox.path(), desk.folder.path());
    for (path, is_in) in [
        (desk.path(""), true),
        (desk.path("p"), true),
        (desk.path("done"), true),
        (elsewhere.path().join("way"), true),
        (elsewhere.path().join("way/p"), true),
        (desk.path("none"), false),
        (elsewhere.path().to_owned(), false),
        (PathBuf::from("/"), false),
    ] {
        assert_eq!(desk.inbox.holds(&path), is_in, "{}", path.display());
    }
}
