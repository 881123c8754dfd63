//! Limits that have no better place, and that each has a test: what is at it is taken, and one more is not.

use std::fs;
use std::path::{Path, PathBuf};

use delta_core::error::Kind;

use super::*;
use crate::fixtures::is_refused;
use crate::policy::{Policy, require_interval};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Limits of so many files that a test at them would take seconds: what is behind the first comes in turn, and nothing is lost at the second.
const OF_MANY_FILES: [&str; 2] = ["INBOX_NAMES", "FILED_UNDER_ONE_NAME"];

/// A test at the bound and one beyond it starts with the name of the limit.
#[test]
fn each_limit_has_a_test_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let limits = fs::read_to_string(root.join("src/limits.rs")).unwrap();
    let names: Vec<&str> = limits.lines().filter_map(|line| line.split_once("const ")?.1.split(':').next()).collect();
    assert!(names.len() >= 11 && OF_MANY_FILES.iter().all(|name| names.contains(name)), "{names:?}");
    let code = ["src", "tests"].map(|folder| files(&root.join(folder))).concat();
    let code: Vec<String> = code.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in names.iter().filter(|name| !OF_MANY_FILES.contains(name)) {
        let test = format!("fn {}_", name.to_lowercase());
        assert!(code.iter().any(|text| text.contains(&test)), "no test of {name}: `{test}...`");
    }
}

#[test]
fn policy_bytes_are_read_up_to_their_limit() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let most = usize::try_from(POLICY_BYTES).unwrap();
    fs::write(file.path(), "#".repeat(most)).unwrap();
    Policy::read(file.path()).unwrap();
    fs::write(file.path(), "#".repeat(most + 1)).unwrap();
    is_refused(Policy::read(file.path()), Kind::Usage, &["is longer than a policy may be: 65536 bytes"]);
}

#[test]
fn interval_seconds_are_one_to_those_of_a_day() {
    for seconds in [1, 2, INTERVAL_SECONDS - 1, INTERVAL_SECONDS] {
        assert_eq!(require_interval(seconds).unwrap(), seconds);
    }
    for seconds in [0, INTERVAL_SECONDS + 1, u64::MAX] {
        let words = format!("expected 1 to 86400 seconds between two looks, found {seconds}");
        is_refused(require_interval(seconds), Kind::Usage, &[&words]);
    }
}

#[cfg(target_os = "linux")]
mod inbox {
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::inbox::{Diary, Inbox, Patience};

    /// A folder in memory.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").unwrap()
    }

    #[test]
    fn filing_bytes_are_read_up_to_their_limit() {
        // A plan that moves nothing but the report, to the name `r`.
        let plan = br#"{"drawer":"done","package":[112],"report":[114],"moves":[]}"#;
        for (more, is_carried_out) in [(0, true), (1, false)] {
            let folder = folder();
            drop(Inbox::open(folder.path()).unwrap());
            let own = folder.path().join(".docker_delta-watch");
            let blanks = vec![b' '; usize::try_from(FILING_BYTES).unwrap() - plan.len() + more];
            fs::write(own.join("filing.json"), [&blanks, &plan[..]].concat()).unwrap();
            fs::write(own.join("report.json"), b"it went well").unwrap();
            Inbox::open(folder.path()).unwrap();
            let report = fs::read(folder.path().join("done/r")).ok();
            assert_eq!(report.is_some_and(|report| report == b"it went well"), is_carried_out);
            assert!(!own.join("filing.json").exists() && !own.join("report.json").exists());
        }
    }

    #[test]
    fn longest_pause_is_where_pauses_end_to_grow() {
        let folder = folder();
        let inbox = Inbox::open(folder.path()).unwrap();
        fs::write(folder.path().join("app"), b"bytes").unwrap();
        let look = inbox.look().unwrap();
        let pauses = |settling: Duration, count: usize| {
            let mut diary = Diary::new(Patience { settling, refusal: Duration::ZERO });
            let now = Instant::now();
            diary.note(&look, now, SystemTime::now());
            (0..count).map(|_| diary.postpone(&look.arrivals[0], now)).collect::<Vec<_>>()
        };
        let half = LONGEST_PAUSE / 2;
        assert_eq!(pauses(half, 4), [half, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]);
        let second = Duration::from_secs(1);
        assert_eq!(pauses(half + second, 3), [half + second, LONGEST_PAUSE, LONGEST_PAUSE]);
        // Whoever waits longer for a file to settle waits as long for its surroundings.
        let longer = LONGEST_PAUSE + second;
        assert_eq!(pauses(longer, 3), [longer; 3]);
    }
}
