//! Types, which are told by what they must look like.

use super::*;

/// A type (`abi.Type`) whose name and pointer are these offsets.
struct Type {
    size: u64,
    pointers: u64,
    flags: u8,
    alignments: [u8; 2],
    kind: u8,
    equal: u64,
    bits: u64,
    offsets: [[u8; 4]; 2],
}

impl Type {
    fn of(places: &Places, goal: u64) -> Self {
        Self {
            size: 16,
            pointers: 8,
            flags: 0,
            alignments: [8, 8],
            kind: 25,
            equal: 0,
            bits: ADDRESS,
            offsets: [offset(goal, places.types); 2],
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { flags, alignments: [align, field_align], kind, .. } = *self;
        let told = [[7; 4], [flags, align, field_align, kind]].concat();
        [words(&[self.size, self.pointers]), told, words(&[self.equal, self.bits]), self.offsets.concat()].concat()
    }
}

/// Like [`becomes`], with types up to `less` bytes before the end of what `make` makes.
#[track_caller]
fn types_become(what: &str, less: u64, make: &dyn Fn(&Places, u64) -> Vec<u8>) {
    becomes(what, &|places, shift| {
        let types = make(places, shift);
        let module = module(places, (places.types + types.len() as u64).wrapping_sub(less));
        Tables { types, module, ..Tables::of(places, functions(0, places.code, b"")) }
    });
}

#[test]
fn a_type_is_one_when_each_of_its_fields_may_be() {
    type Edit = fn(&mut Type, &Places);
    let cases: [(&str, Edit, bool); 31] = [
        ("as it is", |_, _| (), true),
        ("alignment 0", |one, _| one.alignments[0] = 0, false),
        ("alignment 1", |one, _| one.alignments[0] = 1, true),
        ("alignment 2", |one, _| one.alignments[0] = 2, true),
        ("alignment 3", |one, _| one.alignments[0] = 3, false),
        ("alignment 4", |one, _| one.alignments[0] = 4, true),
        ("alignment 16", |one, _| one.alignments[0] = 16, false),
        ("alignment of a field 0", |one, _| one.alignments[1] = 0, false),
        ("alignment of a field 1", |one, _| one.alignments[1] = 1, true),
        ("alignment of a field 5", |one, _| one.alignments[1] = 5, false),
        ("alignment of a field 16", |one, _| one.alignments[1] = 16, false),
        ("kind 0", |one, _| one.kind = 0, false),
        ("kind 1", |one, _| one.kind = 1, true),
        ("kind 26", |one, _| one.kind = 26, true),
        ("kind 27", |one, _| one.kind = 27, false),
        ("kind 31", |one, _| one.kind = 31, false),
        ("kind 1 with higher bits", |one, _| one.kind = 0xe1, true),
        ("kind 0 with higher bits", |one, _| one.kind = 0xe0, false),
        ("pointers up to the end", |one, _| one.pointers = 16, true),
        ("pointers over the end", |one, _| one.pointers = 17, false),
        ("no bytes", |one, _| (one.size, one.pointers) = (0, 0), true),
        ("compared by the first byte", |one, _| one.equal = ADDRESS, true),
        ("compared by what is before it", |one, _| one.equal = ADDRESS - 1, false),
        ("compared by what is in memory", |one, places| one.equal = places.later + 256 + 4095, true),
        ("compared by what is behind it", |one, places| one.equal = places.later + 256 + 4096, false),
        ("without a map of pointers", |one, _| one.bits = 0, false),
        ("a map before the first byte", |one, _| one.bits = ADDRESS - 1, false),
        ("a map in memory", |one, places| one.bits = places.later + 256, true),
        ("a map behind it", |one, places| one.bits = places.later + 256 + 4096, false),
        ("other flags", |one, _| one.flags = 0xfe, true),
        ("neither name nor pointer", |one, _| one.offsets = [[0; 4], [0xff; 4]], true),
    ];
    for (what, edit, is_one) in cases {
        for goal in [0, 1] {
            types_become(&format!("{what}, goal {goal}"), 0, &|places, shift| {
                let mut first = Type::of(places, goals(places, if is_one { shift } else { 0 })[goal]);
                edit(&mut first, places);
                // What is behind it is a type wherever the look for it starts.
                [first.bytes(), Type::of(places, goals(places, shift)[goal]).bytes()].concat()
            });
        }
    }
}

#[test]
fn a_type_is_looked_for_at_each_eighth_byte_up_to_the_last() {
    for before in [8, 16, 40, 80] {
        types_become(&format!("behind {before} bytes"), 0, &|places, shift| {
            [vec![0; before], Type::of(places, places.later + shift).bytes()].concat()
        });
    }
    types_become("between two places", 0, &|places, _| [vec![0; 4], Type::of(places, places.later).bytes()].concat());
    // The last byte alone is no start.
    for (less, is_found) in [(48, false), (47, false), (46, true), (0, true)] {
        types_become(&format!("up to {less} bytes before the end"), less, &|places, shift| {
            let second = Type::of(places, places.later + if is_found { shift } else { 0 });
            [Type::of(places, places.later + shift).bytes(), second.bytes()].concat()
        });
    }
    // An end that the file has not is none.
    for more in [1_u64 << 40, 4_000] {
        types_become(&format!("up to {more} bytes behind the end"), more.wrapping_neg(), &|places, _| {
            Type::of(places, places.later).bytes()
        });
    }
}

/// How long a type of each kind is before what it has when it is named.
const fn own_bytes(kind: u8) -> usize {
    match kind {
        17 => 72,
        18 => 64,
        19 | 22 | 23 => 56,
        20 | 25 => 80,
        21 => 88,
        _ => 48,
    }
}

/// A named type of this kind: its package, how many methods it has and where, and what stands there.
fn named(one: &Type, package: [u8; 4], methods: u16, distance: u32, behind: &[u8]) -> Vec<u8> {
    let mut bytes = Type { flags: 1, offsets: one.offsets, ..*one }.bytes();
    bytes.resize(own_bytes(one.kind & 31), 0);
    [&bytes[..], &package, &methods.to_le_bytes(), &[9, 9], &distance.to_le_bytes(), &[9; 4], behind].concat()
}

#[test]
fn what_a_named_type_has_stands_behind_what_its_kind_has() {
    for kind in 1..=26 {
        for goal in [0, 1] {
            types_become(&format!("kind {kind}, goal {goal}"), 0, &|places, shift| {
                let goal = goals(places, shift)[goal];
                let one = Type { kind, ..Type::of(places, goal) };
                let [of_types, of_code] = [places.types, places.code].map(|start| offset(goal, start));
                let method = [of_types, of_types, of_code, of_code].concat();
                let next = Type::of(places, goal).bytes();
                [named(&one, of_types, 2, 16, &method.repeat(2)), next].concat()
            });
        }
    }
}

#[test]
fn methods_are_as_many_as_there_are_and_where_they_are() {
    for (methods, distance, first) in [(0, 16, 0), (1, 16, 0), (1, 24, 8), (2, 32, 16), (3, 16, 0)] {
        types_become(&format!("{methods} methods at {distance}"), 0, &|places, shift| {
            let one = Type { kind: 1, ..Type::of(places, places.later + shift) };
            let behind = (0..4).flat_map(|number| {
                let goal = places.later + if number < methods { shift } else { 0 };
                let [of_types, of_code] = [places.types, places.code].map(|start| offset(goal, start));
                [of_types, of_types, of_code, of_code].concat()
            });
            let behind: Vec<u8> = vec![0; first].into_iter().chain(behind).collect();
            named(&one, offset(places.later + shift, places.types), methods, distance, &behind)
        });
    }
    // More than the file has: the type keeps its name, its pointer and its package.
    types_become("too many methods", 0, &|places, shift| {
        let one = Type { kind: 1, ..Type::of(places, places.later + shift) };
        let method = offset(places.later, places.code).repeat(4);
        let next = Type::of(places, places.later + shift).bytes();
        [named(&one, offset(places.later + shift, places.types), u16::MAX, 16, &method), next].concat()
    });
}

/// What stands where methods do may look like a type: then it is none.
#[test]
fn the_next_type_is_looked_for_behind_the_methods() {
    for (methods, is_type) in [(3, false), (0, true)] {
        types_become(&format!("{methods} methods"), 0, &|places, shift| {
            // As methods the last two are offsets from the code, and lead to what stays; as a type they are offsets from the types.
            let stays = offset(places.later.wrapping_sub(1), places.code);
            let moved = u32::from_le_bytes(stays).wrapping_add(if is_type { u32::try_from(shift).unwrap() } else { 0 });
            let looks_like_one = Type { offsets: [moved.to_le_bytes(); 2], ..Type::of(places, 0) };
            let one = Type { kind: 1, ..Type::of(places, places.later + shift) };
            let package = offset(places.later + shift, places.types);
            named(&one, package, methods, 16, &looks_like_one.bytes())
        });
    }
}
