//! Layers to test with.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and fails where that fails")]

use tar::{Builder, EntryType, Header};

/// A tar stream that is written entry by entry.
pub(crate) struct LayerBuilder(Builder<Vec<u8>>, u64);

impl LayerBuilder {
    pub(crate) fn new() -> Self {
        Self(Builder::new(Vec::new()), 1_700_000_000)
    }

    /// All following entries are changed at `mtime`.
    pub(crate) fn at(mut self, mtime: u64) -> Self {
        self.1 = mtime;
        self
    }

    pub(crate) fn file(mut self, path: &str, content: &[u8]) -> Self {
        let mut header = self.header(EntryType::Regular, content.len());
        self.0.append_data(&mut header, path, content).unwrap();
        self
    }

    pub(crate) fn folder(mut self, path: &str) -> Self {
        let mut header = self.header(EntryType::Directory, 0);
        self.0.append_data(&mut header, path, &b""[..]).unwrap();
        self
    }

    pub(crate) fn link(mut self, path: &str, to: &str) -> Self {
        let mut header = self.header(EntryType::Symlink, 0);
        self.0.append_link(&mut header, path, to).unwrap();
        self
    }

    pub(crate) fn records(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }

    fn header(&self, kind: EntryType, size: usize) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_mtime(self.1);
        header.set_size(size as u64);
        header
    }
}

/// `length` bytes that no compressor makes shorter; others for another `seed` (xorshift64).
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}
