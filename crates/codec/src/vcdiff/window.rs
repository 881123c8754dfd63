//! One window's instructions: collected in plain form, then written into the three sections.

use super::address::Cache;
use super::code_table;
use super::integer;

/// An instruction with plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The target's own bytes at this offset of the window.
    Add { at: usize, length: usize },
    /// One byte, repeated.
    Run { byte: u8, length: usize },
    /// Bytes of the source segment and, behind it, the window.
    Copy { address: u64, length: usize },
}

impl Step {
    const fn length(self) -> usize {
        match self {
            Self::Add { length, .. } | Self::Run { length, .. } | Self::Copy { length, .. } => length,
        }
    }
}

/// The three sections of a window (RFC 3284, 4.3).
#[derive(Default)]
pub(super) struct Sections {
    pub(super) data: Vec<u8>,
    pub(super) instructions: Vec<u8>,
    pub(super) addresses: Vec<u8>,
}

/// Writes `steps`, which tile `window`; the source segment is `segment` bytes long.
pub(super) fn write(steps: &[Step], window: &[u8], segment: u64) -> Sections {
    let mut writer = Writer { sections: Sections::default(), cache: Cache::new(), here: segment, waiting: None };
    for step in steps {
        writer.step(*step, window);
    }
    writer.flush();
    writer.sections
}

/// The last instruction, kept back because the next one may share its byte.
#[derive(Clone, Copy)]
enum Waiting {
    Add(usize),
    Copy { length: usize, mode: u8 },
}

struct Writer {
    sections: Sections,
    cache: Cache,
    here: u64,
    waiting: Option<Waiting>,
}

impl Writer {
    fn step(&mut self, step: Step, window: &[u8]) {
        match step {
            Step::Add { at, length } => {
                self.sections.data.extend_from_slice(&window[at..at + length]);
                self.add(length);
            }
            Step::Run { byte, length } => {
                self.flush();
                self.sections.data.push(byte);
                self.sections.instructions.push(0);
                integer::push(&mut self.sections.instructions, length as u64);
            }
            Step::Copy { address, length } => {
                let mode = self.cache.push(&mut self.sections.addresses, address, self.here);
                self.copy(length, mode);
            }
        }
        self.here += step.length() as u64;
    }

    fn add(&mut self, length: usize) {
        if let Some(Waiting::Copy { length: copied, mode }) = self.waiting
            && let Some(byte) = code_table::copy_then_add(copied as u64, mode, length as u64)
        {
            self.sections.instructions.push(byte);
            self.waiting = None;
            return;
        }
        self.flush();
        self.waiting = Some(Waiting::Add(length));
    }

    fn copy(&mut self, length: usize, mode: u8) {
        if let Some(Waiting::Add(added)) = self.waiting
            && let Some(byte) = code_table::add_then_copy(added as u64, length as u64, mode)
        {
            self.sections.instructions.push(byte);
            self.waiting = None;
            return;
        }
        self.flush();
        self.waiting = Some(Waiting::Copy { length, mode });
    }

    fn flush(&mut self) {
        let (byte, follows) = match self.waiting.take() {
            None => return,
            Some(Waiting::Add(length)) => match u8::try_from(length) {
                Ok(size @ 1..=17) => (code_table::add(size), None),
                _ => (code_table::add(0), Some(length)),
            },
            Some(Waiting::Copy { length, mode }) => match u8::try_from(length) {
                Ok(size @ 4..=18) => (code_table::copy(size, mode), None),
                _ => (code_table::copy(0, mode), Some(length)),
            },
        };
        self.sections.instructions.push(byte);
        if let Some(length) = follows {
            integer::push(&mut self.sections.instructions, length as u64);
        }
    }
}
