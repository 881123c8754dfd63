//! Which blocks are right, and where each is.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::blocks::{Survey, digest_in, look};
use super::super::search::Candidate;
use super::*;
use crate::system;

#[test]
fn each_block_of_a_volume_is_right_or_not_by_itself() {
    let (desk, split) = five_blocks();
    let looked = |volume: u64| {
        let file = File::open(desk.path(&format!("app.00{volume}"))).unwrap();
        let told = AtomicU64::new(0);
        let looked = look(&split.set, &file, volume, &|bytes| {
            told.fetch_add(bytes, Ordering::Relaxed);
        })
        .unwrap();
        (looked.good, looked.unreadable, told.into_inner())
    };
    assert_eq!(looked(1), (vec![true, true], false, 2 * BLOCK as u64));
    assert_eq!(looked(3), (vec![true], false, 100));
    for (at, good) in [(BLOCK, vec![false, true]), (2 * BLOCK - 1, vec![false, true]), (2 * BLOCK, vec![true, false])] {
        desk.turn("app.001", at);
        assert_eq!(looked(1), (good, false, 2 * BLOCK as u64), "{at}");
        desk.turn("app.001", at);
    }
    // The header is none of the blocks.
    desk.turn("app.001", BLOCK - 1);
    assert_eq!(looked(1).0, [true, true]);
    desk.cut("app.001", 3 * BLOCK - 1);
    assert_eq!(looked(1), (vec![true, false], false, 2 * BLOCK as u64));
    desk.cut("app.001", 0);
    assert_eq!(looked(1).0, [false, false]);
}

#[test]
fn what_the_system_refuses_to_read_is_no_damage() {
    let (desk, split) = five_blocks();
    // No bytes can be read of a folder, whatever the place.
    let folder = File::open(desk.folder.path()).unwrap();
    let looked = look(&split.set, &folder, 1, &|_| ()).unwrap();
    assert_eq!((looked.good, looked.unreadable), (vec![false, false], true));
}

#[test]
fn a_block_has_a_digest_or_there_is_no_such_block() {
    let (_, split) = five_blocks();
    assert_eq!(digest_in(&split.set, 0).unwrap(), split.set.blocks[0]);
    assert_eq!(digest_in(&split.set, 4).unwrap(), split.set.blocks[4]);
    is_refused(digest_in(&split.set, 5), Kind::Internal, &["block 5 has no digest"]);
}

/// A file as a candidate for a volume.
fn candidate(path: PathBuf, volume: u64, is_named: bool) -> Candidate {
    let file = File::open(&path).unwrap();
    let (bytes, id) = (file.metadata().unwrap().len(), system::file_id_of(&file).unwrap());
    Candidate { path, file: Some(file), bytes, id, volume, is_named }
}

/// What is known when these files were looked at, in their order.
fn survey(set: &Set, candidates: &[Candidate]) -> Survey {
    let mut survey = Survey::new(set);
    for (source, candidate) in candidates.iter().enumerate() {
        survey.add(set, (source, candidate), &Silent).unwrap();
    }
    survey
}

#[test]
fn nothing_is_there_before_anything_was_looked_at() {
    let (_, split) = five_blocks();
    let survey = Survey::new(&split.set);
    let states: Vec<_> = survey.states.iter().map(|state| (state.volume, state.blocks, state.bad_blocks)).collect();
    assert_eq!(states, [(1, 2, 2), (2, 2, 2), (3, 1, 1)]);
    assert!(survey.states.iter().all(|state| state.file.is_none() && !state.whole && !state.unreadable));
    assert_eq!((survey.lost(0..5), survey.lost(1..3), survey.lost(0..0)), (5, 2, 0));
}

#[test]
fn a_volume_is_whole_when_it_is_what_was_written_to_the_last_byte() {
    let (desk, split) = five_blocks();
    let state = |is_named: bool| {
        let mut survey = survey(&split.set, &[candidate(desk.path("app.001"), 1, is_named)]);
        assert_eq!(survey.lost(2..5), 3, "the others are not there");
        survey.states.remove(0)
    };
    let sound = state(true);
    assert!(sound.whole && sound.bad_blocks == 0 && sound.file == Some(desk.path("app.001")));
    let renamed = state(false);
    assert!(!renamed.whole && renamed.bad_blocks == 0, "its header is lost");
    desk.cut("app.001", 3 * BLOCK + 1);
    let longer = state(true);
    assert!(!longer.whole && longer.bad_blocks == 0);
    desk.cut("app.001", 3 * BLOCK - 1);
    let shorter = state(true);
    assert!(!shorter.whole && shorter.bad_blocks == 1 && !shorter.unreadable);
    assert_eq!(shorter.damage(), "is damaged in 1 of 2 blocks");
    let refused = VolumeState { unreadable: true, ..shorter };
    assert_eq!(refused.damage(), "cannot be read in 1 of 2 blocks");
}

#[test]
fn what_is_left_of_a_volume_proves_that_it_is_one() {
    let (desk, split) = five_blocks();
    let is_ours =
        |name: &str, is_named: bool| survey(&split.set, &[candidate(desk.path(name), 1, is_named)]).states[0].is_ours;
    fs::write(desk.path("letter"), noise(3 * BLOCK, 9)).unwrap();
    fs::write(desk.path("empty"), b"").unwrap();
    assert!(is_ours("app.001", true) && is_ours("app.001", false), "its blocks are there");
    assert!(is_ours("empty", false), "nothing is lost with it");
    assert!(!is_ours("letter", false), "nothing of it is of the set");
    assert!(is_ours("letter", true), "its header is of the set");
}

#[test]
fn of_two_copies_each_gives_what_the_other_lacks() {
    let (desk, split) = five_blocks();
    for name in ["one", "other", "whole"] {
        fs::copy(desk.path("app.001"), desk.path(name)).unwrap();
    }
    desk.turn("one", BLOCK);
    desk.turn("other", 2 * BLOCK);
    let candidates = ["one", "other", "whole"].map(|name| candidate(desk.path(name), 1, true));
    let [one, other, whole] = &candidates;
    let both = survey(&split.set, &[candidate(one.path.clone(), 1, true), candidate(other.path.clone(), 1, true)]);
    let places: Vec<_> = both.places[..2].iter().map(|place| place.unwrap()).collect();
    assert_eq!(places.iter().map(|place| place.source).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(places.iter().map(|place| place.offset).collect::<Vec<_>>(), [4_096, 8_192]);
    let state = &both.states[0];
    assert_eq!((state.bad_blocks, state.whole, state.file.as_ref()), (0, false, Some(&one.path)));
    // A whole one stands for all.
    let all = survey(&split.set, &candidates);
    assert_eq!((all.states[0].whole, all.states[0].file.as_ref()), (true, Some(&whole.path)));
    assert_eq!(all.places[0].unwrap().source, 1, "what was found first stays");
}

#[test]
fn a_file_that_was_let_go_of_is_not_looked_at() {
    let (desk, split) = five_blocks();
    let gone = Candidate { file: None, ..candidate(desk.path("app.001"), 1, true) };
    let survey = survey(&split.set, &[gone]);
    assert!(survey.lost(0..5) == 5 && survey.states[0].file.is_none());
}
