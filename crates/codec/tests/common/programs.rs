//! Executables (ELF) of sections that tests choose.

pub(crate) const X86_64: u16 = 62;
pub(crate) const AARCH64: u16 = 183;
pub(crate) const I386: u16 = 3;

/// A program of sections: name, type, flags, bytes, and the number of the section that it refers to. It is loaded at `address`, as one part.
pub(crate) struct Program {
    pub(crate) machine: u16,
    pub(crate) address: u64,
    pub(crate) sections: Vec<(&'static str, u32, u64, Vec<u8>, u32)>,
}

impl Program {
    fn put(&self, out: &mut Vec<u8>, value: u64) {
        let word = if self.machine == I386 { 4 } else { 8 };
        out.extend_from_slice(&value.to_le_bytes()[..word]);
    }

    fn row(&self, name: usize, kind: u32, flags: u64, (address, offset, size): (u64, u64, u64), link: u32) -> Vec<u8> {
        let mut row = [u32::try_from(name).unwrap().to_le_bytes(), kind.to_le_bytes()].concat();
        [flags, address, offset, size].iter().for_each(|value| self.put(&mut row, *value));
        row.extend([link.to_le_bytes(), [0; 4]].concat());
        [16, 0].iter().for_each(|value| self.put(&mut row, *value));
        row
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let is_64 = self.machine != I386;
        let (header, program_row, section_row) = if is_64 { (64, 56, 64_u16) } else { (52, 32, 40) };
        let mut out = vec![0; header + program_row];
        let (mut names, mut rows) = (vec![0], vec![self.row(0, 0, 0, (0, 0, 0), 0)]);
        for (name, kind, flags, bytes, link) in &self.sections {
            out.resize(out.len().next_multiple_of(16), 0);
            let offset = out.len() as u64;
            rows.push(self.row(names.len(), *kind, *flags, (self.address + offset, offset, bytes.len() as u64), *link));
            names.extend([name.as_bytes(), &[0]].concat());
            out.extend_from_slice(bytes);
        }
        let loaded = out.len() as u64;
        rows.push(self.row(0, 3, 0, (0, loaded, names.len() as u64), 0));
        out.extend(names);
        let table = out.len() as u64;
        rows.iter().for_each(|row| out.extend_from_slice(row));
        let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0".to_vec();
        head[4] = if is_64 { 2 } else { 1 };
        head.extend(self.machine.to_le_bytes());
        head.extend(1_u32.to_le_bytes());
        [self.address, header as u64, table].iter().for_each(|value| self.put(&mut head, *value));
        head.extend(0_u32.to_le_bytes());
        let counts = [u16::try_from(header).unwrap(), u16::try_from(program_row).unwrap(), 1, section_row];
        let sections = u16::try_from(rows.len()).unwrap();
        counts.iter().chain(&[sections, sections - 1]).for_each(|count| head.extend(count.to_le_bytes()));
        let flags = 5_u32.to_le_bytes();
        head.extend(1_u32.to_le_bytes());
        if is_64 {
            head.extend(flags);
        }
        [0, self.address, self.address, loaded, loaded + 4096].iter().for_each(|value| self.put(&mut head, *value));
        if !is_64 {
            head.extend(flags);
        }
        self.put(&mut head, 4096);
        out[..head.len()].copy_from_slice(&head);
        out
    }
}
