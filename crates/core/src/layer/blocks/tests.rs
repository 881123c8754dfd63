use super::*;
use crate::error::{Kind, Result};
use crate::limits::COPY_BUFFER;

/// Bytes that are opened as others than they were.
#[derive(Clone)]
struct Content(Vec<u8>);

impl LayerContent for Content {
    fn plain(&self) -> Result<Arc<dyn ReadAt>> {
        Ok(Arc::new(self.0.clone()))
    }

    fn stored(&self) -> Result<Arc<dyn ReadAt>> {
        self.plain()
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place.wrapping_mul(2_654_435_761) >> 9).to_le_bytes()[0]).collect()
}

fn hashed(bytes: &[u8]) -> Vec<u64> {
    let mut hasher = BlockHasher::default();
    hasher.write_all(bytes).unwrap();
    hasher.finish()
}

/// What was hashed as `before` and is read as `now`.
fn checked(before: &[u8], now: &[u8]) -> CheckedBytes {
    CheckedBytes::new(Arc::new(Content(now.to_vec())), before.len() as u64, hashed(before))
}

#[test]
fn base_block_is_what_a_hash_is_of_however_it_is_written() {
    for length in [0, 1, BASE_BLOCK - 1, BASE_BLOCK, BASE_BLOCK + 1, 3 * BASE_BLOCK, 3 * BASE_BLOCK + 7] {
        let bytes = bytes(length);
        let expected: Vec<u64> = bytes.chunks(BASE_BLOCK).map(xxh3_64).collect();
        assert_eq!(expected.len() as u64, block_count(length as u64));
        for piece in [1, 100, BASE_BLOCK - 1, BASE_BLOCK, BASE_BLOCK + 1, 2 * BASE_BLOCK + 3] {
            let mut hasher = BlockHasher::default();
            bytes.chunks(piece).for_each(|piece| hasher.write_all(piece).unwrap());
            assert_eq!(hasher.finish(), expected, "{length} in pieces of {piece}");
        }
    }
}

#[test]
fn what_is_as_it_was_is_read_at_any_place() {
    let bytes = bytes(2 * COPY_BUFFER + 77);
    let checked = checked(&bytes, &bytes);
    assert_eq!(checked.len(), bytes.len() as u64);
    let end = bytes.len();
    for (offset, length) in [
        (0, 1),
        (BASE_BLOCK - 1, 2),
        (5, COPY_BUFFER),
        (BASE_BLOCK, BASE_BLOCK),
        (COPY_BUFFER - 1, COPY_BUFFER + 2),
        (end - 3, 10),
        (end, 1),
        (end + 9, 1),
        (3, 0),
        (0, end),
        (1, end),
    ] {
        let (mut read, mut expected) = (vec![0; length], vec![0; length]);
        let count = checked.read_at(&mut read, offset as u64).unwrap();
        assert_eq!(count, bytes.read_at(&mut expected, offset as u64).unwrap(), "{offset} {length}");
        assert!(read == expected, "{offset} {length}");
    }
}

#[test]
fn a_block_that_is_another_one_is_an_error_where_it_is_read_and_nowhere_else() {
    let before = bytes(5 * BASE_BLOCK + 100);
    for damaged in [0, 2, 5] {
        let mut now = before.clone();
        now[damaged * BASE_BLOCK + 99] ^= 1;
        let checked = checked(&before, &now);
        for block in 0..6 {
            // Twice: a block that was compared is not compared again.
            for _ in 0..2 {
                let mut read = [0; 50];
                let done = checked.read_at(&mut read, (block * BASE_BLOCK) as u64);
                assert_eq!(done.is_err(), block == damaged, "{damaged} {block}");
            }
        }
        let mut all = vec![0; before.len()];
        let error = Error::io("reading")(checked.read_at(&mut all, 0).unwrap_err());
        assert_eq!(error.kind(), Kind::Content);
        assert!(error.to_string().contains(&format!("its bytes at {} are others", damaged * BASE_BLOCK)), "{error}");
    }
}

#[test]
fn a_layer_of_another_length_is_an_error() {
    let before = bytes(BASE_BLOCK);
    for length in [0, BASE_BLOCK - 1, BASE_BLOCK + 1] {
        let error = checked(&before, &bytes(length)).read_at(&mut [0], 0).unwrap_err();
        assert!(error.to_string().contains(&format!("it has {length} bytes, where it had 4096")), "{error}");
    }
}
