use std::fs::{self, OpenOptions};

use super::*;
use crate::fixtures::all;
use crate::refusals::BUFFER;

fn placed(length: u64) -> Arc<PlacedFile> {
    Arc::new(PlacedFile::new(tempfile::tempfile().unwrap(), "out.tar".to_owned(), length).unwrap())
}

fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 31 + seed).to_le_bytes()[0] | 1).collect()
}

/// A device that takes nothing.
fn full() -> File {
    OpenOptions::new().read(true).write(true).open("/dev/full").unwrap()
}

#[test]
fn parts_are_written_beside_each_other_in_any_pieces() {
    for piece in [1, 1_000, BUFFER - 1, BUFFER, BUFFER + 1, 3 * BUFFER] {
        let (one, two) = (bytes(1, 2 * BUFFER + 3), bytes(2, BUFFER + 7));
        let file = placed((one.len() + two.len() + 30) as u64);
        let mut first = Box::new(file.part(10, one.len() as u64));
        let mut second = Box::new(file.part((one.len() + 20) as u64, two.len() as u64));
        let mut pieces = (one.chunks(piece), two.chunks(piece));
        loop {
            match (pieces.0.next(), pieces.1.next()) {
                (None, None) => break,
                (one, two) => {
                    one.into_iter().for_each(|piece| first.write_all(piece).unwrap());
                    two.into_iter().for_each(|piece| second.write_all(piece).unwrap());
                }
            }
        }
        let (first, second) = (first.freeze().unwrap(), second.freeze().unwrap());
        assert!(all(&first) == one && all(&second) == two, "{piece}");
        let zeros = [0; 10].as_slice();
        assert!(all(&file) == [zeros, &one, zeros, &two, zeros].concat(), "{piece}");
    }
}

#[test]
fn what_is_more_than_a_part_leaves_what_lies_behind_it() {
    for (length, written) in [(0, 1), (4, 5), (BUFFER, BUFFER + 1), (BUFFER + 1, 3 * BUFFER), (4, 3 * BUFFER)] {
        let file = placed(length as u64 + 8);
        file.write_at(b"behind", length as u64).unwrap();
        let mut part = Box::new(file.part(0, length as u64));
        let bytes = bytes(3, written);
        part.write_all(&bytes).unwrap();
        part.write_all(b"and more").unwrap();
        let part = part.freeze().unwrap();
        assert!(all(&part) == bytes[..length], "{length} {written}");
        assert!(all(&file)[length..] == *b"behind\0\0", "{length} {written}");
    }
}

#[test]
fn a_part_that_was_not_filled_is_as_long_as_what_came() {
    let file = placed(100);
    let mut part = Box::new(file.part(50, 50));
    part.write_all(b"few").unwrap();
    part.flush().unwrap();
    assert_eq!(all(&file)[50..54], *b"few\0");
    part.write_all(b"er").unwrap();
    let part = part.freeze().unwrap();
    assert_eq!((part.len(), all(&part).as_slice()), (5, b"fewer".as_slice()));
    let none = Box::new(file.part(0, 50)).freeze().unwrap();
    assert!(none.is_empty());
}

#[test]
fn what_the_file_system_reports_is_kept_once_with_the_file() {
    let bytes = FileBytes::of(full(), "out.tar".to_owned()).unwrap();
    let file = PlacedFile { bytes, name: "out.tar".to_owned(), refusals: Arc::default() };
    assert!(file.refusals().take().is_none());
    let error = file.write_at(b"bytes", 0).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    file.write_at(b"bytes", 5).unwrap_err();
    let (name, first) = file.refusals().take().unwrap();
    assert_eq!((name.as_str(), first.kind()), ("out.tar", io::ErrorKind::StorageFull));
    assert!(file.refusals().take().is_none());
}

#[test]
fn a_growing_file_is_read_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    let refused = Arc::new(Refusals::default());
    let mut file = Box::new(NotingRefusals::create(&path, refused.clone()).unwrap());
    let written = bytes(4, BUFFER + 9);
    written.chunks(1_000).for_each(|piece| file.write_all(piece).unwrap());
    assert!(all(&file.freeze().unwrap()) == written && fs::read(&path).unwrap() == written);
    assert!(refused.take().is_none());
    let taken = NotingRefusals::create(&path, refused.clone()).map(|_| ()).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    let (name, error) = refused.take().unwrap();
    assert!(name.ends_with("/blob") && error.kind() == io::ErrorKind::AlreadyExists, "{name}: {error}");
    let mut nowhere = Box::new(NotingRefusals::new(full(), "blob".to_owned(), refused.clone()));
    nowhere.write_all(b"held").unwrap();
    nowhere.flush().unwrap_err();
    assert_eq!(refused.take().unwrap().1.kind(), io::ErrorKind::StorageFull);
    nowhere.freeze().map(|_| ()).unwrap_err();
}
