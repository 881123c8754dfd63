//! Sets of volumes as files: what may happen to them on their way, and what then comes back, or is said.

#![allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use delta_codec::{ReadAt, Reader};
use delta_core::digest::BlobDigest;
use delta_core::error::{Error, Kind, Result};
use delta_core::job::progress::Silent;
use delta_envelope::volumes::{Layout, Parity, Set};
use delta_transport::inputs::Inputs;
use delta_transport::spool::TempScratch;
use delta_transport::volumes::{
    Ask, Depth, Lack, NobodyToAsk, Opened, Request, Split, VolumeName, WriteRequest, WrittenVolume, open, repair, write,
};

/// Bytes without a pattern (Knuth's generator for 64 bits).
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// A folder with a package in volumes.
struct Desk {
    folder: tempfile::TempDir,
    scratch: TempScratch,
    whole: Vec<u8>,
}

impl Desk {
    /// 200,001 bytes in blocks of 4096 and volumes of ten of them.
    fn new(parity: &str) -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            scratch: TempScratch::new(None).unwrap(),
            whole: noise(200_001, 1),
        };
        desk.write("app", &desk.whole, parity, (false, false)).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(
        &self,
        stem: &str,
        whole: &[u8],
        parity: &str,
        (force, resume): (bool, bool),
    ) -> Result<Vec<WrittenVolume>> {
        let parity = if parity.is_empty() { Parity::default() } else { parity.parse().unwrap() };
        let header = 4_096;
        let layout = Layout::plan(whole.len() as u64, Some(header + 10 * 4_096), parity).unwrap();
        let bytes: Arc<dyn ReadAt> = Arc::new(whole.to_vec());
        let split = Split::new(bytes, layout, &self.scratch, &Silent).unwrap();
        let (stem, inputs) = (self.path(stem), Inputs::default());
        let request = WriteRequest {
            stem: &stem,
            force,
            resume,
            reads_back: false,
            inputs: &inputs,
            scratch: &self.scratch,
            progress: &Silent,
        };
        write(&split, request)
    }

    fn request<'a>(&'a self, path: &'a Path, folders: &'a [PathBuf]) -> Request<'a> {
        Request { path, folders, depth: Depth::Needed, ask: &NobodyToAsk, scratch: &self.scratch, progress: &Silent }
    }

    fn open(&self, name: &str) -> Result<Option<Opened>> {
        open(self.request(&self.path(name), &[]))
    }

    /// Opens what must be the package.
    #[track_caller]
    fn is_whole(&self, name: &str) -> Opened {
        let opened = self.open(name).unwrap().unwrap();
        assert!(all(&opened) == self.whole, "{name}");
        opened
    }

    #[track_caller]
    fn fails(&self, name: &str, kind: Kind, texts: &[&str]) {
        let error = self.open(name).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        for text in texts {
            assert!(error.to_string().contains(text), "expected `{text}` in: {error}");
        }
    }

    /// Turns a bit of a file.
    fn turn(&self, name: &str, at: u64) {
        let file = OpenOptions::new().read(true).write(true).open(self.path(name)).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 4], at).unwrap();
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }
}

fn all(opened: &Opened) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::copy(&mut Reader::new(&opened.bytes), &mut bytes).unwrap();
    bytes
}

#[test]
fn any_volume_and_the_name_of_the_package_open_it() {
    let desk = Desk::new("");
    for name in ["app.001", "app.005", "app"] {
        let opened = desk.is_whole(name);
        assert_eq!((opened.states.len(), opened.faults().len()), (5, 0));
    }
    fs::write(desk.path("letter.001"), b"Dear reader").unwrap();
    for other in ["letter.001", "missing", "missing.001"] {
        assert!(desk.open(other).unwrap().is_none(), "{other}");
    }
}

#[test]
fn volumes_are_told_by_what_is_in_them() {
    let desk = Desk::new("");
    let rename = |from: &str, to: &str| fs::rename(desk.path(from), desk.path(to)).unwrap();
    rename("app.001", "kept");
    rename("app.002", "app.001");
    rename("kept", "app.002");
    desk.is_whole("app.001");
    rename("app.004", "holiday.jpg");
    desk.is_whole("app.003");
    desk.is_whole("holiday.jpg");
    fs::copy(desk.path("app.001"), desk.path("app.004")).unwrap();
    desk.is_whole("app.004");
    let odd = tempfile::tempdir_in(desk.folder.path()).unwrap();
    rename("app.005", &format!("{}/app.005", odd.path().file_name().unwrap().to_str().unwrap()));
    desk.fails("app.001", Kind::Environment, &["of 5 volumes is missing: app.005"]);
    let folders = [odd.path().to_owned()];
    let opened = open(desk.request(&desk.path("app.001"), &folders)).unwrap().unwrap();
    assert!(all(&opened) == desk.whole);
}

#[test]
fn what_is_missing_mixed_or_damaged_is_named() {
    let desk = Desk::new("");
    desk.write("other", &noise(200_001, 2), "", (false, false)).unwrap();
    fs::copy(desk.path("other.002"), desk.path("app.002")).unwrap();
    desk.fails("app.001", Kind::Environment, &["missing: app.002", "app.002 is volume 2 of another set"]);
    fs::remove_file(desk.path("app.002")).unwrap();
    fs::remove_file(desk.path("app.003")).unwrap();
    desk.fails("app.001", Kind::Environment, &["of 5 volumes are missing: app.002, app.003"]);
    let desk = Desk::new("");
    desk.turn("app.004", 4_096 + 3 * 4_096 + 5);
    desk.fails("app.001", Kind::Content, &["app.004 is damaged in 1 of 10 blocks"]);
    let file = OpenOptions::new().write(true).open(desk.path("app.002")).unwrap();
    file.set_len(4_096 + 7 * 4_096 - 1).unwrap();
    desk.fails("app.001", Kind::Content, &["app.002 is damaged in 4 of 10 blocks", "app.004"]);
}

#[test]
fn a_bit_anywhere_costs_nothing_but_its_block() {
    for parity in ["", "10%"] {
        let desk = Desk::new(parity);
        for (volume, at) in [(1, 0), (1, 13), (2, 60), (3, 4_095), (1, 4_096), (5, 4_096 + 8 * 4_096), (4, 30_000)] {
            let name = format!("app.00{volume}");
            desk.turn(&name, at);
            if at < 4_096 || !parity.is_empty() {
                let opened = desk.is_whole(&name);
                assert_eq!((opened.faults().len(), opened.restored_blocks), (1, u64::from(at >= 4_096)), "{at}");
                assert!(opened.faults()[0].contains(&name), "{:?}", opened.faults());
            } else {
                desk.fails(&name, Kind::Content, &[&name, "is damaged in 1 of"]);
            }
            desk.turn(&name, at);
        }
        // All headers but one may be lost.
        (1..=4).for_each(|volume| desk.turn(&format!("app.00{volume}"), 99));
        desk.is_whole("app.002");
    }
}

#[test]
fn parity_makes_good_what_is_lost_and_repair_writes_it_again() {
    let desk = Desk::new("30%");
    let before = desk.files();
    assert_eq!(before.len(), 7, "five of data, two of parity");
    fs::remove_file(desk.path("app.002")).unwrap();
    fs::write(desk.path("app.006"), b"").unwrap();
    desk.turn("app.004", 5_000);
    let opened = desk.open("app.001").map(|_| ()).unwrap_err();
    assert!(opened.to_string().contains("11 blocks of data are lost, and 5 of parity are there"), "{opened}");
    let desk = Desk::new("30%");
    fs::remove_file(desk.path("app.002")).unwrap();
    desk.turn("app.004", 5_000);
    let file = OpenOptions::new().write(true).open(desk.path("app.005")).unwrap();
    file.set_len(60).unwrap();
    drop(file);
    fs::rename(desk.path("app.007"), desk.path("app.005.kept")).unwrap();
    fs::rename(desk.path("app.005.kept"), desk.path("app.007")).unwrap();
    desk.fails("app.001", Kind::Environment, &["missing: app.002", "app.005 is damaged in 9 of 9"]);
    fs::write(desk.path("app.005"), before.iter().find(|(name, _)| name == "app.005").unwrap().1.clone()).unwrap();
    let opened = desk.is_whole("app.001");
    assert_eq!((opened.restored_blocks, opened.faults().len()), (11, 2));
    desk.turn("app.007", 4_096);
    let path = desk.path("app.001");
    let repaired = repair(desk.request(&path, &[]), None).unwrap();
    assert_eq!(repaired.written, ["app.002", "app.004", "app.007"].map(|name| desk.path(name)));
    assert!(desk.files() == before);
    assert!(repair(desk.request(&path, &[]), None).unwrap().written.is_empty());
}

#[test]
fn repair_replaces_nothing_that_is_not_a_bad_volume() {
    let desk = Desk::new("30%");
    fs::write(desk.path("app.003"), noise(50_000, 9)).unwrap();
    let path = desk.path("app.001");
    desk.is_whole("app.001");
    let error = repair(desk.request(&path, &[]), None).map(|_| ()).unwrap_err();
    assert!(error.kind() == Kind::Usage && error.to_string().contains("app.003"), "{error}");
    assert!(fs::read(desk.path("app.003")).unwrap() == noise(50_000, 9));
    fs::create_dir(desk.path("new")).unwrap();
    let repaired = repair(desk.request(&path, &[]), Some(&desk.path("new"))).unwrap();
    assert_eq!(repaired.written, [desk.path("new/app.003")]);
    let letter = desk.path("letter");
    fs::write(&letter, b"Dear reader").unwrap();
    assert_eq!(repair(desk.request(&letter, &[]), None).map(|_| ()).unwrap_err().kind(), Kind::Usage);
}

#[test]
fn two_bad_copies_make_one_good() {
    let desk = Desk::new("");
    fs::create_dir(desk.path("second")).unwrap();
    for volume in 1..=5 {
        let name = format!("app.00{volume}");
        fs::copy(desk.path(&name), desk.path(&format!("second/{name}"))).unwrap();
        desk.turn(&name, 4_100);
        desk.turn(&format!("second/{name}"), 20_000);
    }
    let (path, folders) = (desk.path("app.001"), [desk.path("second")]);
    let opened = open(desk.request(&path, &folders)).unwrap().unwrap();
    assert!(all(&opened) == desk.whole);
}

#[test]
fn only_volumes_are_replaced_and_those_that_are_whole_stay() {
    let desk = Desk::new("30%");
    let before = desk.files();
    let again = |options| desk.write("app", &desk.whole, "30%", options);
    let error = again((false, false)).unwrap_err();
    assert!(error.hint().unwrap().contains("--resume"), "{error} {:?}", error.hint());
    let kept = |written: Vec<WrittenVolume>| written.iter().filter(|volume| volume.kept).count();
    assert_eq!(kept(again((false, true)).unwrap()), 7);
    desk.turn("app.003", 9_999);
    fs::remove_file(desk.path("app.005")).unwrap();
    assert_eq!(kept(again((false, true)).unwrap()), 5);
    assert!(desk.files() == before);
    // Another package: fewer volumes.
    let other = noise(90_000, 5);
    let error = desk.write("app", &other, "", (false, true)).unwrap_err();
    assert!(error.kind() == Kind::Usage && error.to_string().contains("another package"), "{error}");
    assert!(desk.files() == before);
    desk.write("app", &other, "", (true, false)).unwrap();
    assert_eq!(desk.files().len(), 3);
    assert!(all(&desk.open("app").unwrap().unwrap()) == other);
    // What is none of ours stands in the way.
    fs::write(desk.path("app.002"), b"Dear reader").unwrap();
    let error = desk.write("app", &desk.whole, "", (true, true)).unwrap_err();
    assert!(error.to_string().contains("app.002"), "{error}");
    assert_eq!(fs::read(desk.path("app.002")).unwrap(), b"Dear reader");
}

/// Somebody with a stick for each volume, who puts in one after the other.
struct Sticks {
    slot: PathBuf,
    sticks: Mutex<Vec<PathBuf>>,
}

impl Ask for Sticks {
    fn is_anybody_there(&self) -> bool {
        true
    }

    fn next(&self, lack: &Lack) -> Result<Option<Vec<PathBuf>>> {
        assert!(!lack.missing.is_empty());
        for entry in fs::read_dir(&self.slot).unwrap() {
            fs::remove_file(entry.unwrap().path()).map_err(Error::io("taking out a stick"))?;
        }
        let Some(stick) = self.sticks.lock().unwrap().pop() else { return Ok(None) };
        let name = stick.file_name().unwrap().to_owned();
        fs::copy(stick, self.slot.join(name)).unwrap();
        Ok(Some(vec![self.slot.clone()]))
    }
}

#[test]
fn sticks_come_in_any_order_through_one_slot() {
    let desk = Desk::new("");
    let slot = tempfile::tempdir_in("/dev/shm").unwrap();
    fs::copy(desk.path("app.003"), slot.path().join("app.003")).unwrap();
    let sticks = ["app.001", "app.005", "app.002", "app.004"].map(|name| desk.path(name));
    let ask = Sticks { slot: slot.path().to_owned(), sticks: Mutex::new(sticks.to_vec()) };
    let path = slot.path().join("app.003");
    let opened = open(Request { ask: &ask, ..desk.request(&path, &[]) }).unwrap().unwrap();
    assert!(all(&opened) == desk.whole);
    let ask = Sticks { slot: slot.path().to_owned(), sticks: Mutex::new(vec![desk.path("app.002")]) };
    fs::remove_file(slot.path().join("app.001")).unwrap();
    fs::copy(desk.path("app.003"), &path).unwrap();
    let error = open(Request { ask: &ask, ..desk.request(&path, &[]) }).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("app.001, app.004, app.005"), "{error}");
}

#[test]
fn names_that_are_no_text_are_names() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new("");
    let odd = desk.folder.path().join(OsStr::from_bytes(b"a \xff\n.001"));
    fs::rename(desk.path("app.001"), &odd).unwrap();
    let opened = open(desk.request(&odd, &[])).unwrap().unwrap();
    assert!(all(&opened) == desk.whole);
    assert_eq!(VolumeName::parse(&odd).unwrap().volume, 1);
}

/// Volumes that somebody wrote who may lie: of these blocks of 4096 bytes, two a volume, the last of them parity; under sound digests of each
/// block, and this one of the package.
fn written(folder: &Path, blocks: &[Vec<u8>], parity: u64, whole: BlobDigest) -> Layout {
    let data = blocks.len() as u64 - parity;
    let percent = parity * 100 / data;
    let parity = if percent == 0 { Parity::default() } else { percent.to_string().parse().unwrap() };
    let layout = Layout::plan(data * 4_096, Some(3 * 4_096), parity).unwrap();
    assert_eq!((layout.blocks(), layout.blocks_per_volume()), (blocks.len() as u64, 2));
    let digests = blocks.iter().map(|block| BlobDigest::of(block)).collect();
    let set = Set { layout, whole, blocks: digests };
    for volume in 1..=layout.volumes() {
        let range = layout.blocks_of(volume);
        let held = &blocks[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
        let bytes = [set.header(volume), held.concat()].concat();
        fs::write(folder.join(format!("lies.{volume:03}")), bytes).unwrap();
    }
    layout
}

#[test]
fn blocks_that_are_sound_and_no_package_together_are_told_where_all_is_looked_at() {
    let desk = Desk::new("");
    let blocks: Vec<Vec<u8>> = (0..4).map(|number| noise(4_096, number)).collect();
    let (said, found) = (BlobDigest::of(b"another package"), BlobDigest::of(&blocks.concat()));
    written(desk.folder.path(), &blocks, 0, said);
    let path = desk.path("lies.001");
    let opened = open(desk.request(&path, &[])).unwrap().unwrap();
    assert!(all(&opened) == blocks.concat());
    let error = open(Request { depth: Depth::All, ..desk.request(&path, &[]) }).map(|_| ()).unwrap_err();
    let expected = format!("the package in {}: expected {said}, found {found}", path.display());
    assert_eq!((error.kind(), error.to_string()), (Kind::Content, expected));
}

#[test]
fn what_parity_gives_is_compared_before_anybody_reads_it() {
    let desk = Desk::new("");
    let blocks: Vec<Vec<u8>> = (0..6).map(|number| noise(4_096, number)).collect();
    // The last two are no parity of the others, and have the digests that the headers say.
    written(desk.folder.path(), &blocks, 2, BlobDigest::of(&blocks[..4].concat()));
    assert!(all(&desk.open("lies.001").unwrap().unwrap()) == blocks[..4].concat());
    fs::remove_file(desk.path("lies.002")).unwrap();
    let error = desk.open("lies.001").map(|_| ()).unwrap_err();
    let what = format!("block 2 that parity gave for {}: expected ", desk.path("lies.001").display());
    assert!(error.to_string().starts_with(&what), "{error}");
    assert_eq!(error.kind(), Kind::Content);
}

#[test]
fn a_volume_that_grew_is_read_and_told_and_one_without_blocks_is_damaged() {
    let desk = Desk::new("");
    let grown = [fs::read(desk.path("app.002")).unwrap(), b"more".to_vec()].concat();
    fs::write(desk.path("app.002"), grown).unwrap();
    let opened = desk.is_whole("app.001");
    assert_eq!(opened.faults(), [format!("{} is damaged outside of its blocks", desk.path("app.002").display())]);
    let header = fs::read(desk.path("app.003")).unwrap()[..4_096].to_vec();
    fs::write(desk.path("app.003"), header).unwrap();
    desk.fails("app.001", Kind::Content, &["app.003 is damaged in 10 of 10 blocks"]);
}

#[test]
fn a_header_that_promises_more_than_the_file_has_is_none() {
    let desk = Desk::new("");
    let layout = Layout::plan(8_192 * 4_096, None, Parity::default()).unwrap();
    let blocks = vec![BlobDigest::of(b"block"); 8_192];
    let header = Set { layout, whole: BlobDigest::of(b"whole"), blocks }.header(1);
    assert!(header.len() > 200_000);
    for length in [95, 96, 4_096, header.len() - 1] {
        fs::write(desk.path("alone.001"), &header[..length]).unwrap();
        match desk.open("alone.001") {
            // What is shorter than any header is something else.
            Ok(found) => assert!(found.is_none() && length < 96, "{length}"),
            Err(error) => {
                assert!(error.to_string().contains("and no other volume of its set is there"), "{length}: {error}");
                assert_eq!(error.kind(), Kind::Content);
            }
        }
    }
    fs::write(desk.path("alone.001"), &header).unwrap();
    desk.fails("alone.001", Kind::Content, &["is damaged in 8192 of 8192 blocks"]);
}

#[test]
fn the_golden_sets_are_read_for_ever() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/volumes");
    let desk = Desk::new("");
    for set in ["one", "three", "parity"] {
        let path = golden.join("accept").join(format!("{set}.001"));
        let opened = open(Request { depth: Depth::All, ..desk.request(&path, &[]) }).unwrap().unwrap();
        let expected = fs::read(golden.join("whole")).unwrap();
        assert!(all(&opened) == expected, "{set}");
    }
    let lost = golden.join("accept/lost/lost.001");
    let opened = open(Request { depth: Depth::All, ..desk.request(&lost, &[]) }).unwrap().unwrap();
    assert!(all(&opened) == fs::read(golden.join("whole")).unwrap() && opened.restored_blocks > 0);
    for (set, text) in [
        ("version", "format version 2, and this program knows version 1"),
        ("header", "header"),
        ("block", "is damaged in 1 of"),
        ("missing", "is missing"),
        ("digest", "expected sha256:"),
    ] {
        let path = golden.join("reject").join(format!("{set}.001"));
        let error = open(Request { depth: Depth::All, ..desk.request(&path, &[]) }).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(text), "{set}: {error}");
    }
}
