//! What is needed of an ELF file (System V ABI, "Object Files"): where its parts are. Only little-endian files are read.

use crate::limits::{EXEC_SECTIONS, EXEC_SEGMENTS};

/// The processors whose code is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    I386,
    X86_64,
    AArch64,
    /// Only tables are looked into.
    Other,
}

/// A part that is loaded (`PT_LOAD`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file_size: u64,
    pub(super) memory_size: u64,
    pub(super) is_code: bool,
}

/// A section with bytes in the file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Section<'a> {
    pub(super) name: &'a [u8],
    /// `sh_type`.
    pub(super) kind: u32,
    pub(super) is_code: bool,
    pub(super) is_written: bool,
    pub(super) is_loaded: bool,
    pub(super) address: u64,
    pub(super) offset: usize,
    pub(super) size: usize,
    /// The number of the section that it refers to (`sh_link`).
    pub(super) link: usize,
}

impl Section<'_> {
    pub(super) const fn end(&self) -> usize {
        self.offset + self.size
    }
}

/// A file whose tables lie inside of it.
#[derive(Clone, Debug)]
pub(super) struct Elf<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) machine: Machine,
    /// 8 in 64-bit files, else 4.
    pub(super) word: usize,
    /// Whether addresses are fixed when the file is linked (`ET_EXEC`).
    pub(super) is_fixed: bool,
    pub(super) program_headers: Table,
    pub(super) section_headers: Table,
    pub(super) segments: Vec<Segment>,
    /// In the order of their headers; those without bytes have none here either.
    pub(super) sections: Vec<Section<'a>>,
    /// Where the memory that is not in the file starts (`SHT_NOBITS`), or 0.
    pub(super) zeroed: u64,
}

/// Rows of one size.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Table {
    pub(super) offset: usize,
    pub(super) count: usize,
    pub(super) row: usize,
}

impl Table {
    fn of(bytes: &[u8], offset: u64, count: usize, row: usize, least: usize) -> Option<Self> {
        let offset = usize::try_from(offset).ok()?;
        let end = count.checked_mul(row).and_then(|size| offset.checked_add(size))?;
        (row >= least && end <= bytes.len()).then_some(Self { offset, count, row })
    }

    pub(super) fn rows(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |number| self.offset + number * self.row)
    }
}

const NOBITS: u32 = 8;
const LOAD: u32 = 1;

impl<'a> Elf<'a> {
    /// `None` for what is no such file.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let word = match bytes.get(..6)? {
            [0x7f, b'E', b'L', b'F', 1, 1] => 4,
            [0x7f, b'E', b'L', b'F', 2, 1] => 8,
            _ => return None,
        };
        let header = |at_32: usize, at_64: usize| if word == 8 { at_64 } else { at_32 };
        let machine = match half(bytes, 18)? {
            3 if word == 4 => Machine::I386,
            62 if word == 8 => Machine::X86_64,
            183 if word == 8 => Machine::AArch64,
            _ => Machine::Other,
        };
        let [program_offset, section_offset] =
            [header(28, 32), header(32, 40)].map(|at| word_at(bytes, at, word).unwrap_or(0));
        let counts = header(42, 54);
        let half_at = |at: usize| half(bytes, at).map(usize::from);
        let program_headers =
            Table::of(bytes, program_offset, half_at(counts + 2)?.min(EXEC_SEGMENTS), half_at(counts)?, header(32, 56));
        let section_headers = Table::of(
            bytes,
            section_offset,
            half_at(counts + 6)?.min(EXEC_SECTIONS),
            half_at(counts + 4)?,
            header(40, 64),
        );
        let mut elf = Self {
            bytes,
            machine,
            word,
            is_fixed: half(bytes, 16)? == 2,
            program_headers: program_headers.unwrap_or_default(),
            section_headers: section_headers.unwrap_or_default(),
            segments: Vec::new(),
            sections: Vec::new(),
            zeroed: 0,
        };
        elf.segments = elf.program_headers.rows().filter_map(|row| elf.segment(row)).collect();
        elf.sections = elf.read_sections(half_at(counts + 8)?);
        let is_zeroed = |section: &&Section<'_>| section.kind == NOBITS && section.name == b".bss";
        elf.zeroed = elf.sections.iter().find(is_zeroed).map_or(0, |section| section.address);
        Some(elf)
    }

    /// The offset of a field of a row, where the two classes have it.
    pub(super) const fn field(&self, at_32: usize, at_64: usize) -> usize {
        if self.word == 8 { at_64 } else { at_32 }
    }

    fn segment(&self, row: usize) -> Option<Segment> {
        let flags = number(self.bytes, row + self.field(24, 4))?;
        (number(self.bytes, row)? == LOAD).then_some(Segment {
            offset: self.word(row, 4, 8)?,
            address: self.word(row, 8, 16)?,
            file_size: self.word(row, 16, 32)?,
            memory_size: self.word(row, 20, 40)?,
            is_code: flags & 1 != 0,
        })
    }

    /// Every section by its number; what does not fit into the file is an empty one. `names` is the number of the section
    /// with the names.
    fn read_sections(&self, names: usize) -> Vec<Section<'a>> {
        if self.section_headers.count == 0 {
            return self.code_segments();
        }
        let names = self.section_headers.rows().nth(names).and_then(|row| self.span(row));
        let names = names.and_then(|(offset, size)| self.bytes.get(offset..offset + size)).unwrap_or_default();
        // Sections that overlap would be worth many times the file; the first ones that fit into it count.
        let mut left = self.bytes.len();
        let mut fitting = |section: Section<'a>| {
            left = left.checked_sub(section.size)?;
            Some(section)
        };
        let rows = self.section_headers.rows();
        rows.map(|row| self.section(row, names).and_then(&mut fitting).unwrap_or_default()).collect()
    }

    fn section(&self, row: usize, names: &'a [u8]) -> Option<Section<'a>> {
        let kind = number(self.bytes, row + 4)?;
        let flags = self.word(row, 8, 8)?;
        let (offset, size) = if kind == NOBITS { (0, 0) } else { self.span(row)? };
        let name = names.get(number(self.bytes, row)? as usize..)?;
        Some(Section {
            name: name.split(|byte| *byte == 0).next()?,
            kind,
            is_code: flags & 4 != 0,
            is_written: flags & 1 != 0,
            is_loaded: flags & 2 != 0,
            address: self.word(row, 12, 16)?,
            offset,
            size,
            link: number(self.bytes, row + self.field(24, 40))? as usize,
        })
    }

    /// Where the bytes of a section are, if the file has them.
    fn span(&self, row: usize) -> Option<(usize, usize)> {
        let offset = usize::try_from(self.word(row, 16, 24)?).ok()?;
        let size = usize::try_from(self.word(row, 20, 32)?).ok()?;
        (offset.checked_add(size)? <= self.bytes.len()).then_some((offset, size))
    }

    fn word(&self, row: usize, at_32: usize, at_64: usize) -> Option<u64> {
        word_at(self.bytes, row + self.field(at_32, at_64), self.word)
    }

    /// What stands for sections in a file that was stripped of them: code alone.
    fn code_segments(&self) -> Vec<Section<'a>> {
        let mut left = self.bytes.len();
        let segments = self.segments.iter().filter(|segment| segment.is_code);
        let sections = segments.filter_map(|segment| {
            let offset = usize::try_from(segment.offset).ok()?;
            let size = usize::try_from(segment.file_size).ok()?;
            left = left.checked_sub(size)?;
            (offset.checked_add(size)? <= self.bytes.len()).then_some(Section {
                name: b"",
                kind: 1,
                is_code: true,
                is_written: false,
                is_loaded: true,
                address: segment.address,
                offset,
                size,
                link: 0,
            })
        });
        sections.collect()
    }
}

pub(super) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

/// A word of 4 or 8 bytes.
pub(super) fn word_at(bytes: &[u8], at: usize, word: usize) -> Option<u64> {
    if word == 4 {
        return number(bytes, at).map(u64::from);
    }
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of nothing but its header: class, order of bytes, type, processor.
    fn header(class: u8, order: u8, kind: u16, machine: u16) -> Vec<u8> {
        let mut bytes = [0x7f, b'E', b'L', b'F', class, order].to_vec();
        bytes.resize(if class == 2 { 64 } else { 52 }, 0);
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes
    }

    #[test]
    fn the_first_bytes_tell_the_width_of_words_and_the_processor() {
        for (class, machine, expected) in [
            (1, 3, Machine::I386),
            (2, 3, Machine::Other),
            (2, 62, Machine::X86_64),
            (1, 62, Machine::Other),
            (2, 183, Machine::AArch64),
            (1, 183, Machine::Other),
            (2, 243, Machine::Other),
            (1, 0, Machine::Other),
            (2, 0x3e00, Machine::Other),
        ] {
            let bytes = header(class, 1, 3, machine);
            let elf = Elf::parse(&bytes).unwrap();
            assert_eq!((elf.machine, elf.word), (expected, usize::from(class) * 4), "{machine} in class {class}");
            assert!(!elf.is_fixed && elf.sections.is_empty() && elf.segments.is_empty() && elf.zeroed == 0);
        }
        for (kind, is_fixed) in [(0, false), (1, false), (2, true), (3, false), (0x200, false)] {
            assert_eq!(Elf::parse(&header(2, 1, kind, 62)).unwrap().is_fixed, is_fixed, "type {kind}");
        }
    }

    #[test]
    fn what_is_cut_or_in_the_other_order_is_none() {
        for (class, order) in [(0, 1), (3, 1), (1, 0), (1, 2), (2, 2), (0x12, 1)] {
            assert!(Elf::parse(&header(class, order, 3, 62)).is_none(), "class {class}, order {order}");
        }
        for class in [1, 2] {
            let whole = header(class, 1, 3, 62);
            for length in 0..whole.len() {
                assert!(Elf::parse(&whole[..length]).is_none(), "class {class} cut to {length} bytes");
            }
            for at in 0..4 {
                let mut other = whole.clone();
                other[at] ^= 1;
                assert!(Elf::parse(&other).is_none(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_table_lies_inside_and_has_rows_of_some_length() {
        let bytes = [0; 100];
        let places = |offset, count, row| {
            Table::of(&bytes, offset, count, row, 10).map(|table| table.rows().collect::<Vec<_>>())
        };
        assert_eq!(places(0, 3, 10), Some(vec![0, 10, 20]));
        assert_eq!(places(70, 3, 10), Some(vec![70, 80, 90]));
        assert_eq!(places(71, 3, 10), None);
        assert_eq!((places(0, 5, 20).map(|rows| rows.len()), places(0, 5, 21)), (Some(5), None));
        assert_eq!(places(0, 3, 9), None);
        // Without rows it may be at the end, and no further.
        assert_eq!((places(100, 0, 10), places(101, 0, 10)), (Some(vec![]), None));
        for (offset, count, row) in [(u64::MAX, 1, 10), (0, usize::MAX, 10), (1, usize::MAX / 10, 10)] {
            assert_eq!(places(offset, count, row), None, "{offset} {count} {row}");
        }
    }

    #[test]
    fn numbers_are_read_where_all_of_them_is() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!([half(&bytes, 0), half(&bytes, 7), half(&bytes, 8)], [Some(0x0201), Some(0x0908), None]);
        assert_eq!(
            [number(&bytes, 1), number(&bytes, 5), number(&bytes, 6)],
            [Some(0x0504_0302), Some(0x0908_0706), None]
        );
        assert_eq!([word_at(&bytes, 5, 4), word_at(&bytes, 6, 4)], [Some(0x0908_0706), None]);
        assert_eq!([word_at(&bytes, 1, 8), word_at(&bytes, 2, 8)], [Some(0x0908_0706_0504_0302), None]);
        for at in [9, 10, usize::MAX] {
            assert_eq!((half(&bytes, at), number(&bytes, at), word_at(&bytes, at, 8)), (None, None, None), "{at}");
        }
    }
}
