//! The parts of sets of volumes, each by itself; `tests/volumes.rs` has what may happen to whole sets.

mod blocks;
mod opening;
mod places;
mod search;
mod writing;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delta_codec::ReadAt;
use delta_core::digest::BlobDigest;
use delta_core::error::{Kind, Result};
use delta_core::job::progress::Silent;
use delta_envelope::volumes::{Layout, Parity, Set};

use super::*;
use crate::fixtures::{Told, all, is_refused, names, noise};
use crate::inputs::Inputs;
use crate::spool::TempScratch;

/// The bytes of a block and those of a header: the least that either has.
const BLOCK: usize = 4_096;

/// A folder for volumes.
struct Desk {
    folder: tempfile::TempDir,
    scratch: TempScratch,
    inputs: Inputs,
    told: Told,
}

/// How volumes are written.
#[derive(Clone, Copy, Default)]
struct How {
    force: bool,
    resume: bool,
}

const GENTLY: How = How { force: false, resume: false };
const BY_FORCE: How = How { force: true, resume: false };
const RESUMED: How = How { force: false, resume: true };

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            scratch: TempScratch::new(None).unwrap(),
            inputs: Inputs::default(),
            told: Told::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A package of these bytes in volumes of two blocks, with so many percent of parity.
    fn split(&self, bytes: &[u8], parity: &str) -> Split {
        let layout = layout(bytes.len(), parity);
        Split::new(Arc::new(bytes.to_vec()), layout, &self.scratch, &Silent).unwrap()
    }

    fn write(&self, stem: &str, split: &Split, how: How) -> Result<Vec<WrittenVolume>> {
        let stem = self.path(stem);
        write(split, self.write_request(&stem, how))
    }

    fn write_request<'a>(&'a self, stem: &'a Path, how: How) -> WriteRequest<'a> {
        WriteRequest {
            stem,
            force: how.force,
            resume: how.resume,
            reads_back: false,
            inputs: &self.inputs,
            scratch: &self.scratch,
            progress: &self.told,
        }
    }

    fn request<'a>(&'a self, path: &'a Path, depth: Depth) -> Request<'a> {
        Request { path, folders: &[], depth, ask: &NobodyToAsk, scratch: &self.scratch, progress: &self.told }
    }

    fn open(&self, name: &str, depth: Depth) -> Result<Option<Opened>> {
        open(self.request(&self.path(name), depth))
    }

    /// Turns a bit of a file.
    fn turn(&self, name: &str, at: usize) {
        let file = OpenOptions::new().read(true).write(true).open(self.path(name)).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at as u64).unwrap();
        file.write_all_at(&[byte[0] ^ 4], at as u64).unwrap();
    }

    fn cut(&self, name: &str, length: usize) {
        OpenOptions::new().write(true).open(self.path(name)).unwrap().set_len(length as u64).unwrap();
    }
}

fn layout(bytes: usize, parity: &str) -> Layout {
    let parity = if parity.is_empty() { Parity::default() } else { parity.parse().unwrap() };
    Layout::plan(bytes as u64, Some(3 * BLOCK as u64), parity).unwrap()
}

/// Five blocks, of which the last is short: volumes `app.001` to `app.003`, the last with one block.
fn five_blocks() -> (Desk, Split) {
    let desk = Desk::new();
    let split = desk.split(&noise(4 * BLOCK + 100, 1), "");
    desk.write("app", &split, GENTLY).unwrap();
    assert_eq!(names(desk.folder.path()), ["app.001", "app.002", "app.003"]);
    (desk, split)
}
