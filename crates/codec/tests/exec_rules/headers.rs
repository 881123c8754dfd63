//! Headers, the map and the hint: FORMAT.md, sections 10.1 to 10.3.

use super::*;

/// Where the fields of headers are: the width of a word; in the file's header the offset of the section headers; in a program header its start,
/// offset, two addresses and two sizes; in a section header its length, address, offset and size.
struct Fields {
    word: usize,
    table: usize,
    loaded: [usize; 6],
    row: [usize; 4],
}

const FIELDS_32: Fields = Fields { word: 4, table: 32, loaded: [52, 4, 8, 12, 16, 20], row: [40, 12, 16, 20] };
const FIELDS_64: Fields = Fields { word: 8, table: 40, loaded: [64, 8, 16, 24, 32, 40], row: [64, 16, 24, 32] };

impl Fields {
    fn of(machine: u16) -> Self {
        if machine == I386 { FIELDS_32 } else { FIELDS_64 }
    }

    fn read(&self, bytes: &[u8], at: usize) -> u64 {
        bytes[at..at + self.word].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Address, offset and size in the header of a section.
    fn section(&self, base: &[u8], bytes: &[u8], number: usize) -> [u64; 3] {
        let [length, fields @ ..] = self.row;
        let table = usize::try_from(self.read(base, self.table)).unwrap();
        fields.map(|field| self.read(bytes, table + number * length + field))
    }
}

#[test]
fn the_headers_of_the_file_are_those_of_the_target() {
    for machine in [X86_64, AARCH64, I386] {
        let fields = Fields::of(machine);
        let Moved { base, predicted } = Moved::of(machine, vec![(".text", 1, 6, vec![0; 64], 0)], data(), vec![]);
        let both = |at: usize| (fields.read(&base, at), fields.read(&predicted, at));
        assert_eq!(both(24), (ADDRESS, ADDRESS), "the entry");
        let (table, moved) = both(fields.table);
        assert_eq!(moved, table + SHIFT, "the section headers");
        let [start, offset, address, physical, file_size, memory_size] = fields.loaded;
        for (field, grows) in
            [(offset, false), (address, false), (physical, false), (file_size, true), (memory_size, true)]
        {
            let (old, new) = both(start + field);
            assert_eq!(new, old + if grows { SHIFT } else { 0 }, "{field} of the loaded part of {machine}");
        }
        let [text, later] =
            [1, 2].map(|number| (fields.section(&base, &base, number), fields.section(&base, &predicted, number)));
        assert_eq!(text.0, text.1);
        let [address, offset, size] = later.0;
        assert_eq!(later.1, [address + SHIFT, offset + SHIFT, size], "{machine}");
    }
}

#[test]
fn the_size_of_a_section_grows_by_what_comes_into_it() {
    for machine in [X86_64, I386] {
        let fields = Fields::of(machine);
        let sections = vec![(".text", 1, 2, vec![0; 64], 0), data()];
        let mut base = Program { machine, address: ADDRESS, sections }.bytes();
        let [length, .., size_at] = fields.row;
        let table = usize::try_from(fields.read(&base, fields.table)).unwrap();
        for (size, grows) in [(63, false), (64, false), (65, true), (80, true)] {
            base[table + length + size_at] = size;
            let predicted = predict(base.clone(), &matches(&base), &HINT);
            let [_, _, found] = fields.section(&base, &predicted, 1);
            assert_eq!(found, u64::from(size) + if grows { SHIFT } else { 0 }, "{size} of {machine}");
        }
    }
}

#[test]
fn a_hint_has_up_to_256_loaded_parts_and_nothing_behind_them() {
    let sections = vec![(".text", 1, 2, vec![0; 64], 0), (".later", 14, 3, vec![0; 64], 0)];
    let base = Program { machine: X86_64, address: ADDRESS, sections }.bytes();
    let is_predicted = |hint: &[u8]| predict(base.clone(), &matches(&base), hint) != base;
    let parts = |count: u16| {
        let [high, low] = [(count >> 7).to_be_bytes()[1] | 0x80, count.to_be_bytes()[1] & 0x7f];
        let first = [0, 0, 0x81, 0, 0x81, 0];
        [&[high, low][..], &first, &vec![0; 4 * (usize::from(count) - 1)], &[0]].concat()
    };
    for (hint, is_one) in [
        (HINT.to_vec(), true),
        (parts(1), true),
        (parts(255), true),
        (parts(256), true),
        (parts(257), false),
        ([&HINT[..], &[0]].concat(), false),
        (vec![1, 0, 0, 0x81, 0, 0x81, 0], false),
    ] {
        assert_eq!(is_predicted(&hint), is_one, "a hint of {} bytes", hint.len());
    }
    for length in 0..HINT.len() {
        assert!(!is_predicted(&HINT[..length]), "cut to {length} bytes");
    }
}

#[test]
fn what_is_in_memory_only_moves_as_bss_does() {
    // Addresses behind the bytes of the file, of which the loaded part has 4096 more; the byte behind the last one is none.
    let with_end = |zeroed: u64, loaded: u64| -> Vec<u8> {
        let words = [zeroed, zeroed + 100, zeroed + 4095, ADDRESS + loaded + 4096];
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    };
    let bytes = |zeroed: u64, loaded: u64| {
        let words = (".init_array", 14, 3, with_end(zeroed, loaded), 0);
        let sections = vec![words, (".tbss", 8, 3, vec![], 0), (".bss", 8, 3, vec![], 0), data()];
        Program { machine: X86_64, address: ADDRESS, sections }.bytes()
    };
    let loaded = FIELDS_64.read(&bytes(0, 0), 64 + 32);
    let base = bytes(ADDRESS + loaded, loaded);
    let found = |hint: &[u8]| {
        let predicted = predict(base.clone(), &[Match { target: 0, base: 0, length: base.len() as u64 }], hint);
        predicted[place(&base, ".init_array")].to_vec()
    };
    // The number behind those of the loaded part: by how much the start of `.bss` moved, twice.
    assert_eq!(found(&[1, 0, 0, 0, 0, 0]), with_end(ADDRESS + loaded, loaded));
    assert_eq!(found(&[1, 0, 0, 0, 0, 2 * 24]), with_end(ADDRESS + loaded + 24, loaded));
    assert_eq!(found(&[1, 0, 0, 0, 0, 2 * 24 - 1]), with_end(ADDRESS + loaded - 24, loaded));
}

#[test]
fn a_hint_tells_by_how_much_the_loaded_parts_differ() {
    let program = |machine, grown: usize| {
        let sections = vec![(".text", 1, 6, vec![0; 64 + grown], 0), (".bss", 8, 3, vec![], 0)];
        Program { machine, address: ADDRESS, sections }.bytes()
    };
    let told = |base: &[u8], target: &[u8]| describe(&base.to_vec(), &target.to_vec()).unwrap();
    for machine in [X86_64, AARCH64, I386, 40] {
        let [small, large] = [0, 64].map(|grown| program(machine, grown));
        // One part; offset and address as before; the sizes in the file and in memory, and where `.bss` is: 64 more or less.
        assert_eq!(told(&small, &large).unwrap(), [1, 0, 0, 0x81, 0, 0x81, 0, 0x81, 0]);
        assert_eq!(told(&large, &small).unwrap(), [1, 0, 0, 127, 127, 127]);
        assert_eq!(told(&small, &small).unwrap(), [1, 0, 0, 0, 0, 0]);
    }
    assert_eq!(told(&program(X86_64, 0), &program(AARCH64, 0)), None);
    // Of a processor that is not known, in two sizes of words.
    let mut narrow = program(I386, 0);
    narrow[18] = 40;
    assert_eq!(told(&narrow, &program(40, 0)), None);
    assert!(told(&narrow, &narrow).is_some());
}

#[test]
fn a_table_of_headers_that_leads_outside_or_has_short_rows_has_none() {
    let base =
        Program { machine: X86_64, address: ADDRESS, sections: vec![(".text", 1, 6, vec![0; 64], 0), data()] }.bytes();
    let count = sections(&base).len();
    assert_eq!(count, 3, "two, and the one with the names");
    let with = |at: usize, value: u16| {
        let mut other = base.clone();
        other[at..at + 2].copy_from_slice(&value.to_le_bytes());
        sections(&other)
    };
    // The length of a row, and how many there are: then the loaded part stands for all code.
    for (at, value) in [(58, 63), (58, 0), (60, 5), (60, u16::MAX)] {
        assert_eq!(with(at, value).len(), 1, "{value} at {at}");
        assert_eq!(with(at, value)[0].0, "");
    }
    assert_eq!(with(60, 4).len(), count);
    assert_eq!(with(60, 2).len(), 0, "without the section of names nobody knows what it is");
    // Without loaded parts there is no code then.
    let mut none = base.clone();
    none[58] = 0;
    none[54] = 55;
    assert_eq!(sections(&none).len(), 0);
}
