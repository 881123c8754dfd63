use std::os::unix::fs::{FileExt, MetadataExt};

use proptest::prelude::*;

use super::*;

#[test]
fn zeros_take_no_room_and_come_back() {
    for tail in [0, 1, BLOCK, BLOCK + 1, 1 << 20] {
        let bytes = [vec![0; 1 << 20], b"middle".to_vec(), vec![0; tail]].concat();
        for piece in [1_000, BLOCK, bytes.len()] {
            let mut writer = HoleWriter::new(tempfile::tempfile().unwrap());
            bytes.chunks(piece).for_each(|piece| writer.write_all(piece).unwrap());
            let file = writer.finish().unwrap();
            let mut back = vec![1; bytes.len()];
            file.read_exact_at(&mut back, 0).unwrap();
            let found = file.metadata().unwrap();
            assert!(back == bytes && found.len() == bytes.len() as u64, "{tail} {piece}");
            assert!(found.blocks() * 512 <= 2 * BLOCK as u64, "{tail} {piece}");
        }
    }
}

fn written(pieces: &[Vec<u8>]) -> File {
    let mut writer = HoleWriter::new(tempfile::tempfile().unwrap());
    for piece in pieces {
        writer.write_all(piece).unwrap();
        writer.flush().unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn a_single_byte_anywhere_is_written() {
    for length in [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 1] {
        for at in [0, BLOCK - 1, BLOCK, 2 * BLOCK - 1, length - 1].into_iter().filter(|at| *at < length) {
            let mut bytes = vec![0; length];
            bytes[at] = 1;
            let file = written(&[bytes.clone()]);
            let mut back = vec![2; length];
            file.read_exact_at(&mut back, 0).unwrap();
            assert!(back == bytes && file.metadata().unwrap().len() == length as u64, "{length} {at}");
        }
    }
}

#[test]
fn nothing_and_nothing_but_zeros_have_their_length() {
    assert_eq!(written(&[]).metadata().unwrap().len(), 0);
    for length in [1, BLOCK, BLOCK + 1, 10 * BLOCK] {
        let found = written(&[vec![0; length]]).metadata().unwrap();
        assert_eq!((found.len(), found.blocks()), (length as u64, 0), "{length}");
    }
}

#[test]
fn a_file_that_takes_nothing_is_an_error() {
    let path = tempfile::NamedTempFile::new().unwrap();
    let read_only = || File::open(path.path()).unwrap();
    let mut writer = HoleWriter::new(read_only());
    writer.write_all(b"few bytes are held").unwrap();
    writer.finish().unwrap_err();
    let mut writer = HoleWriter::new(read_only());
    writer.write_all(&vec![1; BLOCK + 1]).unwrap_err();
    HoleWriter::new(read_only()).finish().unwrap_err();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn pieces_of_any_length_make_the_same_file(
        pieces in proptest::collection::vec((0_usize..100_000, any::<bool>()), 0..8),
    ) {
        let pieces: Vec<Vec<u8>> =
            pieces.into_iter().map(|(length, is_zero)| vec![u8::from(!is_zero); length]).collect();
        let file = written(&pieces);
        let whole = pieces.concat();
        let mut back = vec![2; whole.len()];
        file.read_exact_at(&mut back, 0).unwrap();
        prop_assert!(back == whole);
        prop_assert_eq!(file.metadata().unwrap().len(), whole.len() as u64);
    }
}
