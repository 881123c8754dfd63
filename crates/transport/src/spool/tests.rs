use delta_core::error::Kind;

use super::*;
use crate::fixtures::{all, is_refused, names, noise};

#[test]
fn few_and_many_bytes_come_back() {
    let scratch = TempScratch::new(None).unwrap();
    for length in [0, 1, HELD - 1, HELD, HELD + 1, 3 * HELD + 7] {
        let bytes: Vec<u8> = (0..length).map(|number| number.to_le_bytes()[0]).collect();
        for size in [1_000, HELD + 5] {
            let mut file = scratch.create().unwrap();
            bytes.chunks(size).for_each(|piece| file.write_all(piece).unwrap());
            file.flush().unwrap();
            let frozen = file.freeze().unwrap();
            let mut back = vec![0; length];
            frozen.read_exact_at(&mut back, 0).unwrap();
            assert!(frozen.len() == length as u64 && back == bytes, "{length}");
        }
    }
}

#[test]
fn nothing_of_it_has_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = TempScratch::new(Some(folder.path())).unwrap();
    assert_eq!(scratch.folder(), folder.path());
    let mut files: Vec<_> = (0..3).map(|_| scratch.create().unwrap()).collect();
    files.iter_mut().for_each(|file| file.write_all(&noise(2 * HELD, 1)).unwrap());
    assert!(names(folder.path()).is_empty());
    let frozen: Vec<_> = files.into_iter().map(|file| file.freeze().unwrap()).collect();
    assert!(names(folder.path()).is_empty());
    assert!(frozen.iter().all(|file| all(file) == noise(2 * HELD, 1)));
}

#[test]
fn few_bytes_need_no_folder_and_many_do() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = TempScratch::new(Some(folder.path())).unwrap();
    let [mut few, mut many] = [scratch.create().unwrap(), scratch.create().unwrap()];
    drop(folder);
    few.write_all(&noise(HELD, 2)).unwrap();
    assert!(all(&few.freeze().unwrap()) == noise(HELD, 2));
    assert_eq!(many.write_all(&noise(HELD + 1, 2)).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_place_where_nothing_can_be_made_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    for place in [folder.path().join("missing"), file, "/proc".into()] {
        let error = TempScratch::new(Some(&place)).unwrap_err();
        let start = format!("no temporary file can be made in {}: ", place.display());
        assert!(error.to_string().starts_with(&start) && error.kind() == Kind::Environment, "{error}");
        assert_eq!(error.hint(), Some("name a folder that can be written to: --temp-dir DIR"));
    }
    assert!(names(folder.path()) == ["file"]);
}

#[test]
fn a_stream_is_spooled_to_its_end_or_its_fault_is_told() {
    struct Cut<'a>(&'a [u8]);
    impl Read for Cut<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                count => Ok(count),
            }
        }
    }
    let scratch = TempScratch::new(None).unwrap();
    for length in [0, 1, HELD, HELD + 1, 3 * HELD] {
        let bytes = noise(length, 3);
        assert!(all(&scratch.spool(&mut bytes.as_slice(), "reading").unwrap()) == bytes);
        let cut = scratch.spool(&mut Cut(&bytes), "unpacking the layer").map(|_| ());
        is_refused(cut, Kind::Content, &["unpacking the layer: "]);
    }
}

#[test]
fn a_spilt_file_is_read_as_a_file_is() {
    let scratch = TempScratch::new(None).unwrap();
    let bytes = [vec![0; 2 * HELD], noise(10, 4), vec![0; HELD]].concat();
    let spooled = scratch.spool(&mut bytes.as_slice(), "reading").unwrap();
    assert!(spooled.in_memory().is_none() && spooled.len() == bytes.len() as u64);
    let mut piece = [1; 30];
    spooled.read_exact_at(&mut piece, 2 * HELD as u64 - 10).unwrap();
    assert!(piece[..10] == [0; 10] && piece[10..20] == noise(10, 4) && piece[20..] == [0; 10]);
    assert_eq!(spooled.read_at(&mut piece, bytes.len() as u64).unwrap(), 0);
    let held = scratch.spool(&mut &bytes[..HELD], "reading").unwrap();
    assert_eq!(held.in_memory().map(<[u8]>::len), Some(HELD));
}
