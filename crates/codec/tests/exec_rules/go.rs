//! Tables of Go programs: FORMAT.md, section 10.6.

mod types;

use super::*;

/// Where the tables start in their section: names, counters, rows.
const NAMES: u64 = 72;
const COUNTERS: u64 = 88;
const ROWS: u64 = 104;

/// The bytes of a function's description, without its tables.
const DESCRIPTION: usize = 44;

/// Addresses of sections in the base; all but the last stay where they are.
#[derive(Default)]
struct Places {
    code: u64,
    table: u64,
    types: u64,
    module: u64,
    later: u64,
}

/// The bytes of the sections that a Go program has.
struct Tables {
    functions: Vec<u8>,
    links: Vec<u8>,
    types: Vec<u8>,
    module: Vec<u8>,
}

impl Tables {
    fn rows(&self) -> Vec<Row> {
        vec![
            (".text", 1, 6, vec![0; 64], 0),
            (".gopclntab", 1, 2, self.functions.clone(), 0),
            (".typelink", 1, 2, self.links.clone(), 0),
            (".types", 1, 2, self.types.clone(), 0),
            (".data", 1, 3, self.module.clone(), 0),
        ]
    }

    /// With nothing but what every one has.
    fn of(places: &Places, functions: Vec<u8>) -> Self {
        let (links, types) = (vec![0; 8], vec![0; 8]);
        Self { functions, links, types, module: module(places, places.types + 8) }
    }
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The module's data: the addresses of the table and its names; where types start and end; function data, which starts where it stands itself.
fn module(places: &Places, types_end: u64) -> Vec<u8> {
    let mut module = [0; 41];
    (module[0], module[1]) = (places.table, places.table + NAMES);
    (module[37], module[38], module[40]) = (places.types, types_end, places.module);
    words(&module)
}

/// The table of functions: its header, which says that there are so many rows, and what stands from the rows on.
fn functions(count: u64, code: u64, rows: &[u8]) -> Vec<u8> {
    let header = words(&[0x0801_0000_ffff_fff1, count, 0, code, NAMES, 0, 0, COUNTERS, ROWS]);
    [&header[..], &[0; 32], rows].concat()
}

/// Sees to it that what `make` makes becomes what it makes when it is told by how much things moved; of each section that is named.
#[track_caller]
fn becomes(what: &str, make: &dyn Fn(&Places, u64) -> Tables) {
    let sized = Moved::of(X86_64, make(&Places::default(), 0).rows(), data(), vec![]);
    let places = Places {
        code: sized.address(".text"),
        table: sized.address(".gopclntab"),
        types: sized.address(".types"),
        module: sized.address(".data"),
        later: sized.address(".later"),
    };
    let moved = Moved::of(X86_64, make(&places, 0).rows(), data(), vec![]);
    for (name, _, _, expected, _) in make(&places, SHIFT).rows() {
        let found = moved.of_section(name);
        let differ = found.iter().zip(&expected).position(|(one, other)| one != other);
        assert!(found == expected, "{what}: {name} from byte {differ:?} on");
    }
}

/// An address before and one behind the place from which on all moves, each as it becomes: a wrong start shows at one of them.
fn goals(places: &Places, shift: u64) -> [u64; 2] {
    [places.later.wrapping_sub(1), places.later + shift]
}

/// The description of a function whose tables have so many offsets, all of which lead to `goal`; between them stands `other`.
fn description(places: &Places, goal: u64, other: [u8; 4], (counters, own): (u32, u8)) -> Vec<u8> {
    let [code, names, counter] =
        [places.code, places.table + NAMES, places.table + COUNTERS].map(|start| offset(goal, start));
    let fixed = [code, names, other, other, counter, counter, counter, counters.to_le_bytes(), other, other];
    [&fixed.concat()[..], &[7, 7, 7, own]].concat()
}

#[test]
fn a_description_has_offsets_from_code_names_counters_and_function_data() {
    for (counters, own, are_followed) in
        [(0, 0, true), (1, 0, true), (0, 1, true), (2, 3, true), (16, 16, true), (17, 0, false), (0, 17, false)]
    {
        for goal in [0, 1] {
            becomes(&format!("{counters} and {own} offsets to goal {goal}"), &|places, shift| {
                let goal_of_tables = goals(places, if are_followed { shift } else { 0 })[goal];
                let other = offset(places.later + 9, places.code);
                let fixed = description(places, goals(places, shift)[goal], other, (counters, own));
                let of_counters = offset(goal_of_tables, places.table + COUNTERS).repeat(counters as usize);
                let of_data = offset(goal_of_tables, places.module).repeat(own.into());
                // The row is no offset to what moves, and the description stands behind it.
                let row = [[0; 4], 8_u32.to_le_bytes()].concat();
                let rows = [&row[..], &fixed, &of_counters, &of_data, &other.repeat(3)].concat();
                Tables::of(places, functions(1, places.code, &rows))
            });
        }
    }
}

#[test]
fn there_are_as_many_rows_as_the_header_says_and_fit() {
    for (count, room, rest, followed) in [
        (0, 3, 0, 0),
        (1, 3, 0, 1),
        (3, 3, 0, 3),
        (4, 3, 0, 3),
        (u64::MAX, 3, 0, 3),
        (u64::MAX, 3, 7, 3),
        (u64::MAX, 3, 8, 4),
    ] {
        for goal in [0, 1] {
            becomes(&format!("{count} rows in room for {room} and {rest} bytes"), &|places, shift| {
                let row = |number: usize| {
                    let goal = goals(places, if number < followed { shift } else { 0 })[goal];
                    [offset(goal, places.code), offset(goal, places.table + ROWS)].concat()
                };
                let rows: Vec<u8> = (0..room + 1).flat_map(row).take(8 * room + rest).collect();
                Tables::of(places, functions(count, places.code, &rows))
            });
        }
    }
}

#[test]
fn a_description_is_one_where_more_than_44_bytes_are_left() {
    for (behind, is_one) in [(0, false), (1, true), (2, true), (100, true)] {
        becomes(&format!("{behind} bytes behind"), &|places, shift| {
            let goal = places.later + if is_one { shift } else { 0 };
            let described = description(places, goal, [0; 4], (0, 0));
            assert_eq!(described.len(), DESCRIPTION);
            let row = [[0; 4], 8_u32.to_le_bytes()].concat();
            Tables::of(places, functions(1, places.code, &[&row[..], &described, &vec![0; behind]].concat()))
        });
    }
    // Outside of the table there is none, however far.
    for place in [u32::MAX - 1, u32::MAX / 2, 4_096] {
        becomes(&format!("at {place:#x}"), &|places, _| {
            let row = [[0; 4], place.to_le_bytes()].concat();
            Tables::of(places, functions(1, places.code, &[&row[..], &[7; 80]].concat()))
        });
    }
}

#[test]
fn minus_one_is_no_offset() {
    // What starts at `.later` moves, and what stands before that does not.
    for (distance, grows) in [(u32::MAX, false), (u32::MAX - 1, true), (0, false), (1, false)] {
        becomes(&format!("{distance:#x}"), &|places, shift| {
            let moved = distance.wrapping_sub(if grows { u32::try_from(shift).unwrap() } else { 0 });
            Tables::of(places, functions(1, places.later, &[moved.to_le_bytes(), [0; 4]].concat()))
        });
    }
}

/// A program of a section with this name and bytes, and the module's data in one with these flags.
fn is_followed(machine: u16, name: &'static str, flags: u64, edit: &dyn Fn(&mut Tables)) -> [bool; 2] {
    let make = |places: &Places| {
        let goal = places.later + 8;
        let row = [offset(goal, places.code), offset(goal, places.table + ROWS)].concat();
        let mut tables = Tables::of(places, functions(1, places.code, &row));
        tables.links = offset(goal, places.types).to_vec();
        edit(&mut tables);
        let mut rows = tables.rows();
        (rows[1].0, rows[4].2) = (name, flags);
        rows
    };
    let sized = Moved::of(machine, make(&Places::default()), data(), vec![]);
    let places = Places {
        code: sized.address(".text"),
        table: sized.address(name),
        types: sized.address(".types"),
        module: sized.address(".data"),
        later: sized.address(".later"),
    };
    let moved = Moved::of(machine, make(&places), data(), vec![]);
    [name, ".typelink"].map(|name| moved.of_section(name) != &moved.base[place(&moved.base, name)])
}

#[test]
fn a_table_of_functions_is_told_by_name_size_and_first_bytes() {
    let plain = |_: &mut Tables| ();
    let cut = |length: usize| move |tables: &mut Tables| tables.functions.truncate(length);
    let magic = |at: usize| move |tables: &mut Tables| tables.functions[at] ^= 1;
    assert_eq!(is_followed(X86_64, ".gopclntab", 3, &plain), [true, true]);
    assert_eq!(is_followed(AARCH64, ".data.rel.ro.gopclntab", 3, &plain), [true, true]);
    assert_eq!(is_followed(X86_64, ".gopclntab2", 3, &plain), [false, false]);
    assert_eq!(is_followed(X86_64, "gopclntab", 3, &plain), [false, false]);
    // Words of 32 bits are no table of ours.
    assert_eq!(is_followed(I386, ".gopclntab", 3, &plain), [false, false]);
    for at in 0..4 {
        assert_eq!(is_followed(X86_64, ".gopclntab", 3, &magic(at)), [false, false], "byte {at} of the magic");
    }
    assert_eq!(is_followed(X86_64, ".gopclntab", 3, &magic(4)), [true, true]);
    // The header alone has no rows, and links need none.
    for (length, links) in [(72, false), (73, true), (104, true), (111, true)] {
        assert_eq!(is_followed(X86_64, ".gopclntab", 3, &cut(length)), [false, links], "{length} bytes");
    }
}

#[test]
fn the_data_of_a_module_is_where_its_first_two_words_say_in_what_is_loaded_and_written() {
    for (flags, is_found) in [(3, true), (2, false), (1, false), (0, false), (7, true)] {
        assert_eq!(is_followed(X86_64, ".gopclntab", flags, &|_| ()), [true, is_found], "flags {flags}");
    }
    for (at, is_found) in [(0, false), (7, false), (8, false), (15, false), (16, true)] {
        let edit = |tables: &mut Tables| tables.module[at] ^= 1;
        assert_eq!(is_followed(X86_64, ".gopclntab", 3, &edit), [true, is_found], "byte {at}");
    }
    // At each eighth byte, and what comes first counts.
    for (before, is_found) in [(8, true), (16, true), (800, true), (4, false), (1, false)] {
        let edit = |tables: &mut Tables| drop(tables.module.splice(..0, vec![0; before]));
        assert_eq!(is_followed(X86_64, ".gopclntab", 3, &edit), [true, is_found], "behind {before} bytes");
    }
    let twice = |tables: &mut Tables| {
        let mut first = tables.module.clone();
        first[8 * 37..8 * 38].fill(0xff);
        drop(tables.module.splice(..0, first));
    };
    assert_eq!(is_followed(X86_64, ".gopclntab", 3, &twice), [true, false]);
    // What stands behind the section is read in the place of words that are missing, which here are no addresses.
    for (words, is_found) in [(41, true), (38, true), (3, false)] {
        let edit = |tables: &mut Tables| tables.module.truncate(8 * words);
        assert_eq!(is_followed(X86_64, ".gopclntab", 3, &edit), [true, is_found], "{words} words");
    }
}

#[test]
fn links_are_offsets_from_the_types() {
    for goal in [0, 1] {
        becomes(&format!("goal {goal}"), &|places, shift| {
            let link = offset(goals(places, shift)[goal], places.types);
            let cut = &offset(places.later, places.types)[..3];
            let links = [&link[..], &[0; 4], &link, &[0xff; 4], &link, cut].concat();
            Tables { links, ..Tables::of(places, functions(0, places.code, b"")) }
        });
    }
}

#[test]
fn tables_that_move_themselves_have_longer_offsets_back() {
    // Of the code, which stays: all else stands behind what grew.
    let make = |places: &Places| {
        let goal = places.code + 9;
        let [rows, counters] = [ROWS, COUNTERS].map(|start| places.table + start);
        let first = [offset(goal, places.code), offset(goal, rows)].concat();
        let second = [[0; 4], 16_u32.to_le_bytes()].concat();
        let described = description(places, goal, [0; 4], (1, 1));
        let of_tables = [offset(goal, counters), offset(goal, places.module)].concat();
        let table = functions(2, places.code, &[first, second, described, of_tables, vec![0; 8]].concat());
        Tables { links: offset(goal, places.types).to_vec(), ..Tables::of(places, table) }
    };
    let moved = |places: &Places| {
        let mut rows = make(places).rows();
        let text = rows.remove(0);
        Moved::of(X86_64, vec![text], data(), rows)
    };
    let sized = moved(&Places::default());
    let [code, table, types, module, later] =
        [".text", ".gopclntab", ".types", ".data", ".later"].map(|name| sized.address(name));
    let found = moved(&Places { code, table, types, module, later });
    let [table, types, module] = [table, types, module].map(|start| start + SHIFT);
    let expected = make(&Places { code, table, types, module, later });
    assert_eq!(found.of_section(".gopclntab"), expected.functions);
    assert_eq!(found.of_section(".typelink"), expected.links);
}
