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

#[cfg(test)]
mod tests {
    use super::Step::{Add, Copy, Run};
    use super::*;

    /// The three sections of `steps` over a window of counting bytes.
    fn sections(steps: &[Step], segment: u64) -> [Vec<u8>; 3] {
        let window: Vec<u8> = (0..=255).collect();
        let Sections { data, instructions, addresses } = write(steps, &window, segment);
        [data, instructions, addresses]
    }

    #[track_caller]
    fn writes(steps: &[Step], instructions: &[u8]) {
        assert_eq!(sections(steps, 1_000)[1], instructions, "{steps:?}");
    }

    #[test]
    fn a_size_stands_in_the_byte_or_behind_it() {
        for (length, instructions) in [(1, vec![2]), (17, vec![18]), (18, vec![1, 18]), (200, vec![1, 0x81, 0x48])] {
            writes(&[Add { at: 0, length }], &instructions);
        }
        for (length, instructions) in
            [(3, vec![19, 3]), (4, vec![20]), (18, vec![34]), (19, vec![19, 19]), (256, vec![19, 0x82, 0])]
        {
            writes(&[Copy { address: 5, length }], &instructions);
        }
        for (length, instructions) in [(1, vec![0, 1]), (127, vec![0, 127]), (128, vec![0, 0x81, 0])] {
            writes(&[Run { byte: 7, length }], &instructions);
        }
        writes(&[], &[]);
    }

    #[test]
    fn two_steps_share_a_byte_where_there_is_one() {
        let add = |length| Add { at: 0, length };
        let copy = |length| Copy { address: 5, length };
        writes(&[add(1), copy(4)], &[163]);
        writes(&[add(4), copy(6)], &[174]);
        writes(&[add(5), copy(4)], &[6, 20]);
        writes(&[add(1), copy(7)], &[2, 23]);
        writes(&[copy(4), add(1)], &[247]);
        writes(&[copy(4), add(2)], &[20, 3]);
        writes(&[copy(5), add(1)], &[21, 2]);
        // What has been written with the one before is not written with the one behind it, too.
        writes(&[add(1), copy(4), add(1)], &[163, 2]);
        writes(&[add(1), copy(4), add(1), copy(4)], &[163, 163]);
        // A run shares with nothing, and what waited before it is written before it.
        writes(&[add(1), Run { byte: 0, length: 9 }, copy(4)], &[2, 0, 9, 20]);
        writes(&[copy(4), Run { byte: 0, length: 9 }, add(1)], &[20, 0, 9, 2]);
    }

    #[test]
    fn data_and_addresses_stand_in_the_order_of_the_steps() {
        let steps = [
            Add { at: 0, length: 2 },
            Run { byte: 99, length: 20 },
            Copy { address: 3, length: 8 },
            Add { at: 30, length: 3 },
            Copy { address: 1_031, length: 4 },
        ];
        let [data, _, addresses] = sections(&steps, 1_000);
        assert_eq!(data, [0, 1, 99, 30, 31, 32]);
        // The second copy is told from here, which is behind the segment and 33 bytes.
        assert_eq!(addresses, [3, 2]);
    }
}
