//! Tables for unwinding and sections for debuggers: FORMAT.md, sections 10.3 and 10.7.

use super::*;

#[test]
fn the_header_of_frames_has_distances_from_its_start() {
    let header = |encodings: [u8; 4], here: u64, there: u64| {
        // The frames from where that stands; a count; a function and its frame, from the start of the section.
        let rows = [distance(there, here + 4), 1, distance(there + 8, here), distance(there + 100, here)];
        [&encodings[..], &numbers(&rows)].concat()
    };
    const KNOWN: [u8; 4] = [1, 0x1b, 3, 0x3b];
    let section = |bytes| vec![(".eh_frame_hdr", 1, 2, bytes, 0)];
    let first = Moved::of(X86_64, section(vec![0; 20]), data(), vec![]);
    let (here, later) = (first.address(".eh_frame_hdr"), first.address(".later"));
    let moved = Moved::of(X86_64, section(header(KNOWN, here, later)), data(), vec![]);
    assert_eq!(moved.of_section(".eh_frame_hdr"), header(KNOWN, here, later + SHIFT));
    for at in 0..4 {
        let mut other = KNOWN;
        other[at] ^= 0x10;
        let bytes = header(other, here, later);
        assert_eq!(Moved::of(X86_64, section(bytes.clone()), data(), vec![]).of_section(".eh_frame_hdr"), bytes);
    }
    // A header without a table, and one that is cut before it.
    let bare = header(KNOWN, here, later)[..12].to_vec();
    let (here, later) = {
        let first = Moved::of(X86_64, section(bare), data(), vec![]);
        (first.address(".eh_frame_hdr"), first.address(".later"))
    };
    let bare = |later: u64| header(KNOWN, here, later)[..12].to_vec();
    let moved = Moved::of(X86_64, section(bare(later)), data(), vec![]);
    assert_eq!(moved.of_section(".eh_frame_hdr"), bare(later + SHIFT));
    for length in 0..12 {
        let bytes = header(KNOWN, here, later)[..length].to_vec();
        let moved = Moved::of(X86_64, vec![(".eh_frame_hdr", 1, 2, bytes.clone(), 0)], data(), vec![]);
        assert!(length == 0 || moved.of_section(".eh_frame_hdr") == bytes, "{length}");
    }
}

/// An entry of a table of frames: its length before it, zeros behind it.
fn entry(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    [numbers(&[u32::try_from(bytes.len()).unwrap()]), bytes].concat()
}

/// The common part of frames with this augmentation: its version, alignments of code and data, the register, the length of the data, these.
fn common_part(augmentation: &[u8], data: &[u8]) -> Vec<u8> {
    entry([&[0, 0, 0, 0, 1][..], augmentation, &[0, 1, 0x78, 0x10, 1], data].concat())
}

/// A frame behind `common`, and the end of all.
fn with_frame(common: &[u8], frame: &[u8]) -> Vec<u8> {
    let back = numbers(&[u32::try_from(common.len() + 4).unwrap()]);
    [common.to_vec(), entry([&back[..], frame].concat()), vec![0; 4]].concat()
}

/// The table of frames that `make` makes of the addresses of the table and of `.later`, as it is predicted, and as it should be: what `make`
/// makes when it is told by how much things moved.
fn predicted_frames(make: &dyn Fn(u64, u64, u64) -> Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let section = |bytes| vec![(".eh_frame", 1, 2, bytes, 0)];
    let length = make(ADDRESS, ADDRESS + 0x200, 0).len();
    let first = Moved::of(X86_64, section(vec![0; length]), data(), vec![]);
    let (here, later) = (first.address(".eh_frame"), first.address(".later"));
    let moved = Moved::of(X86_64, section(make(here, later, 0)), data(), vec![]);
    (moved.of_section(".eh_frame").to_vec(), make(here, later, SHIFT))
}

#[test]
fn frames_move_with_their_function_and_its_length() {
    let common = common_part(b"zR", &[0x1b]);
    let begin = common.len() as u64 + 8;
    for (what, start, length, moves, grows) in [
        ("behind what grew", 10, 40, true, false),
        ("around what grew", -10, 40, false, true),
        ("that ends where it begins to move", -10, 10, false, false),
        ("that ends one byte later", -10, 11, false, true),
    ] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let to = later.wrapping_add_signed(start) + if moves { shift } else { 0 };
            let length = length + if grows { u32::try_from(shift).unwrap() } else { 0 };
            with_frame(&common, &numbers(&[distance(to, here + begin), length, 0]))
        });
        assert_eq!(found, expected, "a function {what}");
    }
}

#[test]
fn a_table_of_a_functions_own_moves_where_the_common_part_says_that_there_is_one() {
    for (augmentation, encodings, moves) in
        [(&b"zLR"[..], &[0x1b, 0x1b][..], true), (b"zR", &[0x1b], false), (b"zRS", &[0x1b], false)]
    {
        let common = common_part(augmentation, encodings);
        let begin = common.len() as u64 + 8;
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let start = numbers(&[distance(later + 30 + shift, here + begin), 4]);
            let table = later + 50 + if moves { shift } else { 0 };
            with_frame(&common, &[start, vec![4], numbers(&[distance(table, here + begin + 9)])].concat())
        });
        assert_eq!(found, expected, "{}", augmentation.escape_ascii());
    }
    // 0 stands for none.
    let common = common_part(b"zLR", &[0x1b, 0x1b]);
    let begin = common.len() as u64 + 8;
    let (found, expected) = predicted_frames(&|here, later, shift| {
        with_frame(&common, &[numbers(&[distance(later + 30 + shift, here + begin), 4]), vec![4, 0, 0, 0, 0]].concat())
    });
    assert_eq!(found, expected);
}

#[test]
fn the_function_that_a_common_part_names_moves_in_the_usual_encodings() {
    for (encoding, moves) in [(0x1b, true), (0x9b, true), (0, false), (3, false), (0x0b, false)] {
        for augmentation in [&b"zPR"[..], b"zRP", b"zPLR"] {
            let before = augmentation.iter().skip(1).take_while(|letter| **letter != b'P').count();
            // Behind length, mark, version, the augmentation with its zero, three numbers and the length of the data.
            let at = 4 + 4 + 1 + augmentation.len() as u64 + 1 + 4 + before as u64 + 1;
            let (found, expected) = predicted_frames(&|here, later, shift| {
                let goal = later + 8 + if moves { shift } else { 0 };
                let function = distance(goal, here + at).to_le_bytes();
                let data: Vec<u8> = augmentation[1..]
                    .iter()
                    .flat_map(|letter| if *letter == b'P' { [&[encoding][..], &function].concat() } else { vec![0x1b] })
                    .collect();
                [common_part(augmentation, &data), vec![0; 4]].concat()
            });
            assert_eq!(found, expected, "{} {encoding:#x}", augmentation.escape_ascii());
        }
    }
}

#[test]
fn frames_are_read_until_one_cannot_be() {
    let common = common_part(b"zR", &[0x1b]);
    let begin = common.len() as u64 + 8;
    let frame = |here: u64, later: u64, shift: u64, at: u64| {
        let back = u32::try_from(at + 4).unwrap();
        entry(numbers(&[back, distance(later + 30 + shift, here + at + 8), 4, 0]))
    };
    let first = begin - 8;
    for (between, is_read) in [
        (vec![], true),
        // The end; a length that leads outside; one that says that more bits follow.
        (vec![0; 4], false),
        (numbers(&[0x1000]), false),
        (numbers(&[u32::MAX]), false),
        // An entry that is too short to be a frame is passed over.
        (entry(numbers(&[8])), true),
    ] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let second = first + 20 + between.len() as u64;
            let shift_of_second = if is_read { shift } else { 0 };
            let parts = [
                common.clone(),
                frame(here, later, shift, first),
                between.clone(),
                frame(here, later, shift_of_second, second),
            ];
            [parts.concat(), vec![0; 4]].concat()
        });
        assert_eq!(found, expected, "{between:02x?} between two");
    }
}

/// Words of a section for debuggers, each beside what it becomes, in a program whose `.later` is code.
fn debug_words(make: impl Fn(u64) -> Vec<(u64, u64)>) {
    let section = |words: Vec<u8>| vec![(".debug_info", 1, 0, words, 0)];
    let bytes = |pairs: &[(u64, u64)], is_moved: bool| -> Vec<u8> {
        pairs.iter().flat_map(|pair| if is_moved { pair.1 } else { pair.0 }.to_le_bytes()).collect()
    };
    let first = Moved::of(X86_64, section(vec![0; 8 * make(0x1_0000).len()]), data(), vec![]);
    let pairs = make(first.address(".later"));
    let moved = Moved::of(X86_64, section(bytes(&pairs, false)), data(), vec![]);
    assert!(moved.of_section(".debug_info") == bytes(&pairs, true), "{pairs:x?}");
}

#[test]
fn addresses_for_debuggers_move_with_what_follows_them() {
    const S: u64 = SHIFT;
    for make in [
        |later| vec![(later, later + S), (0, 0)],
        |later| vec![(later - 1, later - 1), (0, 0)],
        // What follows is the end, which moves as an end, or a length.
        |later| vec![(later - 8, later - 8), (later, later), (0, 0)],
        |later| vec![(later - 8, later - 8), (later + 1, later + 1 + S), (0, 0)],
        |later| vec![(later - 8, later - 8), (8, 8), (0, 0)],
        |later| vec![(later - 8, later - 8), (9, 9 + S), (0, 0)],
        |later| vec![(later, later + S), (200, 200), (0, 0)],
        // Longer than anything is, or behind what is loaded.
        |later| vec![(later - 8, later - 8), (1 << 24, 1 << 24), (0, 0)],
        // As the last word there is nothing that follows.
        |later| vec![(0, 0), (later + 8, later + 8 + S)],
        // More than 40 bits are no address.
        |later| vec![(later | 1 << 40, later | 1 << 40), (0, 0)],
        // The word behind two is an address of its own.
        |later| vec![(later, later + S), (later + 4, later + 4 + S), (later + 9, later + 9 + S), (0, 0)],
    ] as [fn(u64) -> Vec<(u64, u64)>; 11]
    {
        debug_words(make);
    }
}

/// An entry without zeros behind it.
fn exact_entry(bytes: &[u8]) -> Vec<u8> {
    [numbers(&[u32::try_from(bytes.len()).unwrap()]), bytes.to_vec()].concat()
}

#[test]
fn a_frame_is_read_as_far_as_it_goes() {
    let common = common_part(b"zLR", &[0x1b, 0x1b]);
    let begin = common.len() as u64 + 8;
    let back = u32::try_from(common.len() + 4).unwrap();
    for (length, start_moves, table_moves) in [
        // Up to the length of the function; with the table of its own, whole and cut; and nothing behind it in the section.
        (12, true, false),
        (11, false, false),
        (8, false, false),
        (17, true, true),
        (16, true, false),
    ] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            let moves = |is_one: bool| if is_one { shift } else { 0 };
            let start = distance(later + 30 + moves(start_moves), here + begin);
            let table = distance(later + 50 + moves(table_moves), here + begin + 9);
            let whole = [numbers(&[back, start, 4]), vec![4], numbers(&[table])].concat();
            [common.clone(), exact_entry(&whole[..length])].concat()
        });
        assert_eq!(found, expected, "a frame of {length} bytes");
    }
}

#[test]
fn a_function_at_the_end_of_a_common_part_is_whole() {
    for (cut, moves) in [(0, true), (1, false)] {
        let (found, expected) = predicted_frames(&|here, later, shift| {
            // Behind length, mark, version, `zP`, its zero, three numbers, the length of the data and the encoding.
            let at = 4 + 4 + 1 + 2 + 1 + 4 + 1;
            let function = distance(later + 8 + if moves { shift } else { 0 }, here + at);
            let part = [&[0, 0, 0, 0, 1][..], b"zP", &[0, 1, 0x78, 0x10, 5, 0x1b], &function.to_le_bytes()].concat();
            [exact_entry(&part[..part.len() - cut]), vec![0; 8]].concat()
        });
        assert_eq!(found, expected, "{cut} bytes cut");
    }
}

#[test]
fn frames_that_move_themselves_lead_back_further() {
    let common = common_part(b"zPLR", &[0x1b, 1, 2, 3, 4, 0x1b, 0x1b]);
    let make = |here: u64, text: u64| {
        let begin = here + common.len() as u64 + 8;
        // The function that the common part names, one that starts where the code does, and a table of its own; all in what stays.
        let mut common = common.clone();
        // Behind length, mark, version, the augmentation with its zero, four numbers and the encoding.
        const NAMED: usize = 4 + 4 + 1 + 5 + 4 + 1;
        common[NAMED..NAMED + 4].copy_from_slice(&offset(text + 5, here + NAMED as u64));
        let own = [&offset(text + 1, begin)[..], &[9, 0, 0, 0, 4], &offset(text + 30, begin + 9)].concat();
        with_frame(&common, &own)
    };
    let moved = |bytes: Vec<u8>| {
        let behind = vec![(".eh_frame", 1, 2, bytes, 0)];
        Moved::of(X86_64, vec![(".text", 1, 6, vec![0x90; 64], 0)], data(), behind)
    };
    let sized = moved(make(ADDRESS + 0x800, ADDRESS));
    let [here, text] = [".eh_frame", ".text"].map(|name| sized.address(name));
    assert_eq!(moved(make(here, text)).of_section(".eh_frame"), make(here + SHIFT, text));
    // So does the header of frames, whose rows count from its start.
    let header = |here: u64, text: u64| {
        let rows = [offset(text, here + 4), [3, 0, 0, 0], offset(text + 9, here), offset(text + 40, here)];
        [&[1, 0x1b, 3, 0x3b][..], &rows.concat()].concat()
    };
    let moved = |bytes: Vec<u8>| {
        let behind = vec![(".eh_frame_hdr", 1, 2, bytes, 0)];
        Moved::of(X86_64, vec![(".text", 1, 6, vec![0x90; 64], 0)], data(), behind)
    };
    let sized = moved(header(ADDRESS + 0x800, ADDRESS));
    let [here, text] = [".eh_frame_hdr", ".text"].map(|name| sized.address(name));
    assert_eq!(moved(header(here, text)).of_section(".eh_frame_hdr"), header(here + SHIFT, text));
}
