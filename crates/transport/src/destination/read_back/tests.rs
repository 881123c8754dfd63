use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use super::*;

fn noted(bytes: &[u8], piece: usize) -> Blocks {
    let mut blocks = Blocks::default();
    for piece in bytes.chunks(piece.max(1)) {
        blocks.write_all(piece).unwrap();
    }
    blocks
}

#[test]
fn read_back_blocks_of_every_length_come_back_and_every_change_is_found() {
    for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, PIECE + 7] {
        let bytes: Vec<u8> = (0..251).cycle().take(length).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.sync_all().unwrap();
        for piece in [1, 511, BLOCK, PIECE] {
            assert_eq!(noted(&bytes, piece).first_bad(&file, None).unwrap(), None, "{length} {piece}");
        }
        for place in [0, length / 2, length.saturating_sub(1)] {
            if let Some(byte) = bytes.get(place) {
                file.write_all_at(&[byte ^ 1], place as u64).unwrap();
                file.sync_all().unwrap();
                let bad = noted(&bytes, PIECE).first_bad(&file, None).unwrap();
                assert_eq!(bad, Some((place / BLOCK * BLOCK) as u64), "{length} {place}");
                file.write_all_at(&[*byte], place as u64).unwrap();
            }
        }
        for other in [length.saturating_sub(1), length + 1].into_iter().filter(|other| *other != length) {
            file.set_len(other as u64).unwrap();
            let bad = noted(&bytes, PIECE).first_bad(&file, None).unwrap();
            assert_eq!(bad, Some((length.min(other) / BLOCK * BLOCK) as u64), "{length} became {other}");
            file.set_len(length as u64).unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            file.sync_all().unwrap();
        }
    }
}

#[test]
fn a_changed_file_of_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inner/file");
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(&path, vec![7; 3 * BLOCK]).unwrap();
    fs::write(folder.path().join("other"), b"other").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
    assert_eq!(Folder::of(folder.path()).unwrap().first_bad().unwrap(), None);
    let meant = Folder::of(folder.path()).unwrap();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[8], BLOCK as u64 + 3).unwrap();
    file.sync_all().unwrap();
    assert_eq!(meant.first_bad().unwrap(), Some((path, BLOCK as u64)));
}

#[test]
fn read_back_block_is_what_the_first_bad_byte_is_named_by() {
    assert_eq!(BLOCK, 4_096);
    let bytes = vec![7; 3 * BLOCK];
    for (at, expected) in [(0, 0), (BLOCK - 1, 0), (BLOCK, BLOCK), (2 * BLOCK - 1, BLOCK), (2 * BLOCK, 2 * BLOCK)] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        file.write_all_at(&[8], at as u64).unwrap();
        // A second fault further on changes nothing.
        file.write_all_at(&[8], 3 * BLOCK as u64 - 1).unwrap();
        file.sync_all().unwrap();
        assert_eq!(noted(&bytes, BLOCK).first_bad(&file, None).unwrap(), Some(expected as u64), "{at}");
    }
}

#[test]
fn a_file_system_that_reads_nothing_past_memory_is_read_through_it() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = folder.path().join("file");
    let bytes: Vec<u8> = (0..251).cycle().take(3 * BLOCK + 5).collect();
    fs::write(&path, &bytes).unwrap();
    let file = File::open(&path).unwrap();
    assert_eq!(noted(&bytes, BLOCK).first_bad(&file, Some(&path)).unwrap(), None);
    fs::write(&path, &bytes[1..]).unwrap();
    assert_eq!(noted(&bytes, BLOCK).first_bad(&File::open(&path).unwrap(), Some(&path)).unwrap(), Some(0));
}

#[test]
fn a_file_of_a_folder_that_is_gone_or_grew_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("a/b")).unwrap();
    for name in ["a/b/one", "a/two", "three"] {
        fs::write(path(name), name).unwrap();
    }
    assert_eq!(files_in(folder.path()).unwrap().len(), 3);
    let meant = || Folder::of(folder.path()).unwrap();
    let before = meant();
    fs::write(path("a/b/one"), b"a/b/one and more").unwrap();
    assert_eq!(before.first_bad().unwrap(), Some((path("a/b/one"), 0)));
    let before = meant();
    fs::write(path("three"), b"").unwrap();
    assert_eq!(before.first_bad().unwrap(), Some((path("three"), 0)));
    let before = meant();
    fs::remove_file(path("a/two")).unwrap();
    assert_eq!(before.first_bad().map(|_| ()).unwrap_err().kind(), io::ErrorKind::NotFound);
    // What became a link is not followed.
    let before = meant();
    fs::remove_file(path("three")).unwrap();
    std::os::unix::fs::symlink("a/b/one", path("three")).unwrap();
    before.first_bad().map(|_| ()).unwrap_err();
    Folder::of(&path("missing")).map(|_| ()).unwrap_err();
}
