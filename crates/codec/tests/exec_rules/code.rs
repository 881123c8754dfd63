//! Code of x86 and AArch64: FORMAT.md, sections 10.4 and 10.5.

use super::*;

/// The length of what follows the distance of an operand, as the list of section 10.4 says; `None` where the opcode is in no list.
fn immediate(before: &[u8], opcode: u8, register: u8) -> Option<u64> {
    if let [.., 0x0f] | [.., 0xc5, _] | [.., 0xc4, _, _] = before {
        return Some(u64::from([0x70, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6].contains(&opcode)));
    }
    if let [.., 0x0f, map @ (0x38 | 0x3a)] = before {
        return Some(u64::from(*map == 0x3a));
    }
    let arithmetic = (0..=0x3f).filter(|opcode| opcode & 7 < 4);
    let listed = [0x63, 0x69, 0x6b, 0xc0, 0xc1, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe, 0xff];
    let ranges = (0x80..=0x8f).chain(0xd0..=0xd3).chain(0xd8..=0xdf);
    if !arithmetic.chain(listed).chain(ranges).any(|known| known == opcode) {
        return None;
    }
    let is_short = matches!(before, [.., 0x66] | [.., 0x66, 0x40..=0x4f]);
    Some(match (opcode, register) {
        (0x80 | 0x83 | 0xc0 | 0xc1 | 0x6b | 0xc6, _) | (0xf6, 0 | 1) => 1,
        (0x81 | 0x69 | 0xc7, _) | (0xf7, 0 | 1) => {
            if is_short {
                2
            } else {
                4
            }
        }
        _ => 0,
    })
}

/// Every opcode, behind each prefix that changes what it is, with an operand that is addressed from the instruction pointer.
#[test]
fn operands_of_x86_are_those_in_the_list() {
    const MIDDLE: usize = 24;
    let (start, later) = addresses(X86_64, 64);
    let prefixes: [&[u8]; 10] = [
        b"",
        b"\x48",
        b"\x66",
        b"\x66\x48",
        b"\x66\x4f",
        b"\x0f",
        b"\x0f\x38",
        b"\x0f\x3a",
        b"\xc5\xf8",
        b"\xc4\xe2\x79",
    ];
    for (prefix, opcode) in prefixes.into_iter().flat_map(|prefix| (0..=255).map(move |opcode| (prefix, opcode))) {
        // Calls and jumps have a test of their own, and an opcode that looks like a ModRM byte is one.
        if matches!(opcode, 0xe8 | 0xe9 | 0x80..=0x8f) && prefix == b"\x0f"
            || matches!(opcode, 0xe8 | 0xe9)
            || opcode & 0xc7 == 5
        {
            continue;
        }
        for register in [0, 1, 2, 7] {
            let expected = immediate(prefix, opcode, register);
            // Exactly the first byte that moves, and the last one that does not: a wrong length is one or the other.
            for (goal, moves) in [(later, true), (later - 1, false)] {
                let mut bytes = vec![0x90; 64];
                let at = MIDDLE + prefix.len();
                bytes[MIDDLE..at].copy_from_slice(prefix);
                (bytes[at], bytes[at + 1]) = (opcode, register << 3 | 5);
                let end = start + at as u64 + 6 + expected.unwrap_or(0);
                let distance = |to: u64| u32::try_from(to - end).unwrap().to_le_bytes();
                bytes[at + 2..at + 6].copy_from_slice(&distance(goal));
                let mut moved = bytes.clone();
                if expected.is_some() && moves {
                    moved[at + 2..at + 6].copy_from_slice(&distance(goal + SHIFT));
                }
                assert!(code(X86_64, &bytes) == moved, "{prefix:02x?} {opcode:02x} /{register} to {goal:#x}");
            }
        }
    }
}

#[test]
fn calls_and_jumps_of_x86_lead_to_code() {
    for machine in [X86_64, I386] {
        let (start, later) = addresses(machine, 64);
        for opcode in [&b"\xe8"[..], b"\xe9", b"\x0f\x80", b"\x0f\x84", b"\x0f\x8f"] {
            let mut bytes = vec![0x90; 64];
            let behind = 20 + opcode.len() + 4;
            bytes[20..20 + opcode.len()].copy_from_slice(opcode);
            let distance = |to: u64| u32::try_from(to - start - behind as u64).unwrap().to_le_bytes();
            bytes[behind - 4..behind].copy_from_slice(&distance(later + 9));
            let mut moved = bytes.clone();
            moved[behind - 4..behind].copy_from_slice(&distance(later + 9 + SHIFT));
            assert_eq!(code(machine, &bytes), moved, "{opcode:02x?} of {machine}");
            // Into what is loaded no more, and where four bytes are left.
            let mut outside = bytes.clone();
            outside[behind - 4..behind].copy_from_slice(&distance(0x90_0000));
            assert_eq!(code(machine, &outside), outside);
        }
        for opcode in [&b"\x0f\x7f"[..], b"\x0f\x90", b"\xe7", b"\xea"] {
            let mut bytes = vec![0x90; 64];
            let behind = 20 + opcode.len() + 4;
            bytes[20..20 + opcode.len()].copy_from_slice(opcode);
            let distance = u32::try_from(later + 9 - start - behind as u64).unwrap();
            bytes[behind - 4..behind].copy_from_slice(&distance.to_le_bytes());
            assert_eq!(code(machine, &bytes), bytes, "{opcode:02x?}");
        }
    }
    // 32-bit code has no operand that is addressed from the instruction pointer.
    let (start, later) = addresses(I386, 64);
    let mut bytes = vec![0x90; 64];
    bytes[20..22].copy_from_slice(b"\x8b\x05");
    bytes[22..26].copy_from_slice(&u32::try_from(later - start - 26).unwrap().to_le_bytes());
    assert_eq!(code(I386, &bytes), bytes);
}

#[test]
fn the_last_five_bytes_of_a_section_of_x86_are_looked_at() {
    for (length, moves) in [(24, false), (25, true), (26, true)] {
        let (start, later) = addresses(X86_64, length);
        let mut bytes = vec![0x90; length];
        let distance = |to: u64| u32::try_from(to - start - 25).unwrap().to_le_bytes();
        let call = [&[0xe8][..], &distance(later)].concat();
        let kept = call.len().min(length - 20);
        bytes[20..20 + kept].copy_from_slice(&call[..kept]);
        let mut moved = bytes.clone();
        if moves {
            moved[21..25].copy_from_slice(&distance(later + SHIFT));
        }
        assert_eq!(code(X86_64, &bytes), moved, "{length}");
    }
}

/// An instruction of AArch64 at offset 16 of its section, with others around it, as it is predicted.
fn instruction(word: u32) -> u32 {
    let mut bytes = 0xd503_201f_u32.to_le_bytes().repeat(16);
    bytes[16..20].copy_from_slice(&word.to_le_bytes());
    let moved = code(AARCH64, &bytes);
    assert_eq!((&moved[..16], &moved[20..]), (&bytes[..16], &bytes[20..]));
    u32::from_le_bytes(*moved[16..].first_chunk().unwrap())
}

#[test]
fn branches_of_aarch64_have_their_distance_in_26_19_or_14_bits() {
    let (start, later) = addresses(AARCH64, 64);
    let distance = u32::try_from((later - start - 16) / 4).unwrap();
    let moved = distance + u32::try_from(SHIFT / 4).unwrap();
    let wide = (0x14..=0x17_u32).chain(0x94..=0x97);
    let middle = [0x54, 0x34, 0x35, 0xb4, 0xb5, 0x18, 0x58, 0x98, 0x1c, 0x5c, 0x9c];
    let known: Vec<(u32, u32, u32)> = wide
        .map(|top| (top, 0, 0))
        .chain(middle.into_iter().map(|top| (top, 5, 0x1f)))
        .chain([0x36, 0x37, 0xb6, 0xb7].into_iter().map(|top| (top, 5, 0xf8_001f)))
        .collect();
    for top in 0..=255 {
        match known.iter().find(|(known, ..)| *known == top) {
            Some((_, low, others)) if !(0x15..=0x17).contains(&top) && !(0x95..=0x97).contains(&top) => {
                let word = top << 24 | distance << low | others;
                assert_eq!(instruction(word), top << 24 | moved << low | others, "{word:#010x}");
            }
            // The highest two bits of these are a part of a distance that leads far away.
            Some(_) => assert_eq!(instruction(top << 24 | distance), top << 24 | distance),
            None if top & 0x1f == 0x10 => {}
            None => assert_eq!(instruction(top << 24 | distance << 5), top << 24 | distance << 5, "{top:#04x}"),
        }
    }
    // One instruction back, where nothing moves: the highest bit of the distance is its sign.
    for back in [0x97ff_ffff, 0x54ff_ffe1, 0x3607_ffe1] {
        assert_eq!(instruction(back), back);
    }
}

#[test]
fn a_branch_back_over_what_grew_becomes_longer() {
    let nothing = 0xd503_201f_u32.to_le_bytes().repeat(8);
    let branch = |distance: u32| (0x9400_0000 | distance & 0x3ff_ffff).to_le_bytes();
    let before = vec![(".text", 1, 6, nothing.clone(), 0)];
    let start = Moved::of(AARCH64, before.clone(), (".later", 1, 6, nothing.clone(), 0), vec![]);
    let back = u32::try_from((start.address(".later") - start.address(".text")) / 4).unwrap();
    let bytes = [&branch(back.wrapping_neg())[..], &nothing[4..]].concat();
    let moved = Moved::of(AARCH64, before, (".later", 1, 6, bytes, 0), vec![]);
    let longer = back + u32::try_from(SHIFT / 4).unwrap();
    assert_eq!(moved.of_section(".later"), [&branch(longer.wrapping_neg())[..], &nothing[4..]].concat());
}

#[test]
fn an_address_near_an_instruction_of_aarch64_has_21_bits() {
    let (start, later) = addresses(AARCH64, 64);
    for offset in 0..5 {
        let adr = |distance: u64| {
            let distance = u32::try_from(distance).unwrap();
            0x1000_0007 | (distance & 3) << 29 | (distance >> 2) << 5
        };
        let distance = later + offset - start - 16;
        assert_eq!(instruction(adr(distance)), adr(distance + SHIFT), "{offset}");
        assert_eq!(instruction(adr(distance) | 0x0080_0000), adr(distance) | 0x0080_0000, "far before the program");
    }
}

/// The instructions at the start of a section, as they are predicted.
fn instructions(words: &[u32]) -> Vec<u32> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    code(AARCH64, &bytes).as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

#[test]
fn a_page_of_aarch64_has_its_offset_in_later_instructions() {
    const PAGE: u32 = 0x9000_0003;
    const NOTHING: u32 = 0xd503_201f;
    let (_, later) = addresses(AARCH64, 4 * 30);
    // All is in the first page of the program, so that the distance in pages is 0 and stays so.
    let within = u32::try_from(later & 0xfff).unwrap().next_multiple_of(16);
    let shift = u32::try_from(SHIFT).unwrap();
    for (word, scale) in [
        (0x9100_0063_u32, 0), // ADD
        (0x3900_0061, 0),     // STRB
        (0x3940_0061, 0),     // LDRB
        (0x7940_0061, 1),     // LDRH
        (0xb940_0061, 2),     // LDR of 32 bits
        (0xf940_0061, 3),     // LDR of 64 bits
        (0x3dc0_0061, 4),     // LDR of 128 bits
        (0x3d40_0061, 0),     // LDR of a vector's 8 bits
    ] {
        let with = |offset: u32| word | (offset >> scale) << 10;
        let mut all = vec![NOTHING; 30];
        (all[0], all[2]) = (PAGE, with(within));
        let mut moved = all.clone();
        moved[2] = with(within + shift);
        assert_eq!(instructions(&all), moved, "{word:#010x}");
    }
    let with = |offset: u32| 0x9100_0063 | offset << 10;
    for (at, other, moves) in [
        // As far as 24 instructions behind it, and no further.
        (24, NOTHING, true),
        (25, NOTHING, false),
        // Behind another page of the same register; that one has it.
        (2, 0x9000_0004, true),
        // Another register, a shift of the offset, and what is neither an ADD nor a load.
        (2, 0x9100_0083, true),
    ] {
        let mut all = vec![NOTHING; 30];
        (all[0], all[1], all[at]) = (PAGE, other, with(within));
        let mut moved = all.clone();
        if moves {
            moved[at] = with(within + shift);
        }
        assert_eq!(instructions(&all), moved, "{at} {other:#010x}");
    }
    for word in [0x9100_0083_u32, 0x9140_0063, 0xd100_0063, 0xb100_0063, 0xa940_0061] {
        let mut all = vec![NOTHING; 30];
        (all[0], all[1]) = (PAGE, word | within << 10);
        assert_eq!(instructions(&all), all, "{word:#010x}");
    }
}

#[test]
fn what_is_loaded_as_no_code_is_none() {
    let call = |later: u64, start: u64| {
        let mut bytes = vec![0x90; 64];
        bytes[20] = 0xe8;
        bytes[21..25].copy_from_slice(&distance(later, start + 25).to_le_bytes());
        bytes
    };
    let (start, later) = addresses(X86_64, 64);
    let bytes = call(later, start);
    assert_ne!(code(X86_64, &bytes), bytes);
    // In a section without the flag of code nothing is followed, nor where the loaded part has none.
    let moved = Moved::of(X86_64, vec![(".text", 1, 2, bytes.clone(), 0)], data(), vec![]);
    assert_eq!(moved.of_section(".text"), bytes);
    let sections = vec![(".text", 1, 6, bytes, 0), (".debug_info", 1, 0, later.to_le_bytes().to_vec(), 0), data()];
    let mut base = Program { machine: X86_64, address: ADDRESS, sections }.bytes();
    let split = place(&base, ".debug_info").start as u64;
    let matches = [
        Match { target: 0, base: 0, length: split },
        Match { target: split + SHIFT, base: split, length: base.len() as u64 - split },
    ];
    let found = |base: &[u8]| {
        let predicted = predict(base.to_vec(), &matches, &HINT);
        [".text", ".debug_info"].map(|name| predicted[place(base, name)] != base[place(base, name)])
    };
    assert_eq!(found(&base), [true, true]);
    base[64 + 4] = 4;
    assert_eq!(found(&base), [false, false]);
}

#[test]
fn what_is_behind_an_operand_that_leads_nowhere_is_looked_at() {
    let (start, later) = addresses(X86_64, 64);
    let mut bytes = vec![0x90; 64];
    // The distance of the first starts with the opcode of the second, and leads behind all that is loaded.
    bytes[20..23].copy_from_slice(b"\x8b\x05\xe8");
    let call = |to: u64| distance(to, start + 27).to_le_bytes();
    bytes[23..27].copy_from_slice(&call(later + 40));
    let mut moved = bytes.clone();
    moved[23..27].copy_from_slice(&call(later + 40 + SHIFT));
    assert_eq!(code(X86_64, &bytes), moved);
}

#[test]
fn what_moves_itself_and_leads_back_becomes_longer() {
    for machine in [X86_64, I386] {
        for (opcode, is_64) in [(&b"\xe8"[..], false), (b"\x0f\x84", false), (b"\x8b\x05", true), (b"\xc7\x05", true)] {
            if is_64 && machine == I386 {
                continue;
            }
            // An operand may have more behind its distance.
            let more: &[u8] = if opcode[0] == 0xc7 { &[1, 2, 3, 4] } else { &[] };
            let make = |here: u64, goal: u64| {
                let behind = here + 8 + (opcode.len() + 4 + more.len()) as u64;
                let distance = goal.wrapping_sub(behind).to_le_bytes();
                let mut bytes = [&[0x90; 8][..], opcode, &distance[..4], more].concat();
                bytes.resize(64, 0x90);
                bytes
            };
            let before = vec![(".text", 1, 6, vec![0x90; 64], 0)];
            let moved = |bytes: Vec<u8>| Moved::of(machine, before.clone(), (".later", 1, 6, bytes, 0), vec![]);
            let sized = moved(vec![0x90; 64]);
            let [text, later] = [".text", ".later"].map(|name| sized.address(name));
            // The last byte that stays, and the first that moves as the code does.
            for (goal, stays) in [(text, true), (later - 1, true), (later, false), (later + 63, false)] {
                let expected = if stays { make(later + SHIFT, goal) } else { make(later, goal) };
                let found = moved(make(later, goal));
                assert_eq!(found.of_section(".later"), expected, "{opcode:02x?} of {machine} to {goal:#x}");
            }
        }
    }
}

/// The instructions of `.text` when `.later`, a part of its own that starts a page, goes so many pages further on.
fn with_pages(pages: i64, words: &[u32]) -> Vec<u32> {
    const LATER: u64 = ADDRESS + 0x5000;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let number = pages.unsigned_abs() * 0x1000 * 2 - u64::from(pages < 0);
    let digits = [21, 14, 7, 0].map(|low| (number >> low & 0x7f).to_le_bytes()[0] | if low > 0 { 0x80 } else { 0 });
    // The second part has another address, and nothing else of it changed.
    let hint = [&[2, 0, 0, 0, 0, 0][..], &digits, &[0, 0, 0]].concat();
    let sections = vec![(".text", 1, 6, bytes, 0), data()];
    let mut base = Program { machine: AARCH64, address: ADDRESS, sections }.bytes();
    let later = place(&base, ".later");
    let [start, size] = [later.start, later.len()].map(|number| number as u64);
    with_parts(&mut base, &[(1, 5, 0, ADDRESS, start, start), (1, 4, start, LATER, size, 0x1000)]);
    let predicted = predict(base.clone(), &[Match { target: 0, base: 0, length: base.len() as u64 }], &hint);
    predicted[place(&base, ".text")].as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

#[test]
fn a_page_of_aarch64_goes_where_what_is_in_it_goes() {
    // ADRP of a register: the distance in pages has its low two bits in bits 29 and 30, and the others from bit 5 on.
    let adrp = |register: u32, pages: i64| {
        let bits = u32::from_le_bytes(*pages.to_le_bytes().first_chunk().unwrap()) & 0x1f_ffff;
        0x9000_0000 | (bits & 3) << 29 | (bits >> 2) << 5 | register
    };
    let add = |from: u32, offset: u32| 0x9100_0003 | offset << 10 | from << 5;
    const NOTHING: u32 = 0xd503_201f;
    for pages in [0, 1, 2, 3, 4, 100, 600, -1, -3, -4, -5, -7] {
        let gone = 5 + pages;
        for (words, expected, what) in [
            (vec![adrp(3, 5), add(3, 16)], vec![adrp(3, gone), add(3, 16)], "with an offset"),
            (vec![adrp(3, 5), NOTHING], vec![adrp(3, gone), NOTHING], "without one"),
            (vec![adrp(3, 5), add(4, 16)], vec![adrp(3, gone), add(4, 16)], "of another register"),
            (vec![adrp(3, 0), add(3, 16)], vec![adrp(3, 0), add(3, 16)], "that stays"),
            (vec![adrp(3, 900), add(3, 16)], vec![adrp(3, 900), add(3, 16)], "that is not loaded"),
            (vec![NOTHING, adrp(17, 5)], vec![NOTHING, adrp(17, gone)], "as the last instruction"),
        ] {
            assert_eq!(with_pages(pages, &words), expected, "a page {what}, {pages} further on");
        }
    }
}
