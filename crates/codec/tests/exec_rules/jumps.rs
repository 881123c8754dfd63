//! Jump tables of x86-64: FORMAT.md, section 10.3, the last row.

use super::*;

/// The loaded part with the tables is no code; that of the code behind it grows by [`SHIFT`].
const HINT_OF_TWO: [u8; 12] = [2, 0, 0, 0, 0, 0, 0, 0x81, 0, 0x81, 0, 0];

const LEA: [u8; 3] = [0x48, 0x8d, 0x05];

/// Tables in a section with these flags, and code with instructions that take the address of so many bytes in it.
struct Jumps {
    machine: u16,
    flags: u64,
    instruction: [u8; 3],
    starts: Vec<u64>,
}

impl Jumps {
    /// With one table at the start of its section.
    const fn of(machine: u16, flags: u64, instruction: [u8; 3]) -> Self {
        Self { machine, flags, instruction, starts: Vec::new() }
    }

    fn at(starts: &[u64]) -> Self {
        Self { starts: starts.to_vec(), ..Self::of(X86_64, 2, LEA) }
    }

    fn moved(&self, tables: &[u8], start: u64, code: u64) -> Moved {
        let starts = if self.starts.is_empty() { &[0][..] } else { &self.starts };
        let mut text = vec![0x90; 8];
        for at in starts {
            let behind = code + text.len() as u64 + 7;
            let distance = (start + at).wrapping_sub(behind).to_le_bytes();
            text.extend([&self.instruction[..], &distance[..4]].concat());
        }
        text.resize(200, 0x90);
        let before = vec![(".tables", 1, self.flags, tables.to_vec(), 0), (".text", 1, 6, text, 0)];
        Moved::edited(self.machine, before, data(), vec![], &HINT_OF_TWO, &|program| {
            let split = place(program, ".text").start as u64;
            let loaded = place(program, ".later").end as u64;
            let code = loaded - split;
            with_parts(program, &[(1, 4, 0, ADDRESS, split, split), (1, 5, split, ADDRESS + split, code, code)]);
        })
    }

    /// Sees to it that the tables that `make` makes of where they start and of where `.later` does become what they are when that moved.
    #[track_caller]
    fn become_what(&self, what: &str, make: &dyn Fn(u64, u64, u64) -> Vec<u8>) {
        let sized = self.moved(&make(0, 0, 0), 0, 0);
        let [start, code, later] = [".tables", ".text", ".later"].map(|name| sized.address(name));
        let moved = self.moved(&make(start, later, 0), start, code);
        assert_eq!(moved.of_section(".tables"), make(start, later, SHIFT), "{what}");
    }
}

/// Distances from the start of a table.
fn table(start: u64, goals: &[u64]) -> Vec<u8> {
    goals.iter().flat_map(|goal| goal.wrapping_sub(start).to_le_bytes()[..4].to_vec()).collect()
}

#[test]
fn a_table_has_distances_from_its_start_as_long_as_they_lead_to_code() {
    Jumps::at(&[0]).become_what("all of them", &|start, later, shift| {
        // What stands before `.later` stays; what is its first byte moves.
        table(start, &[later + shift, later.wrapping_sub(1), later.wrapping_sub(100), later + 255 + shift])
    });
    for (goal, what) in
        [(0, "its own start"), (1 << 20, "what is not loaded"), (u64::MAX, "what is before the program")]
    {
        Jumps::at(&[0]).become_what(&format!("up to one that leads to {what}"), &|start, later, shift| {
            let end = if goal == u64::MAX { ADDRESS.wrapping_sub(1) } else { start + goal };
            table(start, &[later + 8 + shift, end, later + 8])
        });
    }
    for cut in 0..4 {
        Jumps::at(&[0]).become_what(&format!("{cut} bytes of the last one cut"), &|start, later, shift| {
            let last = later + 4 + if cut == 0 { shift } else { 0 };
            let whole = table(start, &[later + 8 + shift, last]);
            whole[..whole.len() - cut].to_vec()
        });
    }
}

#[test]
fn a_table_ends_where_the_next_one_starts() {
    for starts in [[0, 8], [8, 0]] {
        Jumps::at(&starts).become_what("two tables", &|start, later, shift| {
            let goals = [later + shift, later.wrapping_sub(1), later + 40 + shift];
            [table(start, &goals[..2]), table(start + 8, &goals)].concat()
        });
    }
    // The same start twice is one; a table that starts between two entries of another cuts it.
    Jumps::at(&[4, 4, 4]).become_what("one table", &|start, later, shift| {
        [vec![1, 2, 3, 4], table(start + 4, &[later + shift, later + 9 + shift])].concat()
    });
    Jumps::at(&[0, 6]).become_what("a start between two entries", &|start, later, shift| {
        [&table(start, &[later + shift])[..], &[7, 7], &table(start + 6, &[later + shift])].concat()
    });
    // Nothing is a table before the first start.
    Jumps::at(&[8]).become_what("what is before the first", &|start, later, shift| {
        [table(start, &[later, later]), table(start + 8, &[later + shift])].concat()
    });
}

#[test]
fn a_table_starts_where_an_instruction_takes_its_address() {
    let is_followed = |jumps: &Jumps| {
        let make = |start, later| table(start, &[later + 8]);
        let sized = jumps.moved(&make(0, 0), 0, 0);
        let [start, code, later] = [".tables", ".text", ".later"].map(|name| sized.address(name));
        let moved = jumps.moved(&make(start, later), start, code);
        let (kept, grown) = (make(start, later), make(start, later + SHIFT));
        let found = moved.of_section(".tables");
        assert!(found == kept || found == grown, "{found:02x?}");
        found == grown
    };
    for prefix in 0..=255 {
        assert_eq!(
            is_followed(&Jumps::of(X86_64, 2, [prefix, 0x8d, 0x05])),
            (0x48..=0x4f).contains(&prefix),
            "{prefix:#x}"
        );
    }
    for operand in 0..=255 {
        assert_eq!(is_followed(&Jumps::of(X86_64, 2, [0x48, 0x8d, operand])), operand & 0xc7 == 5, "{operand:#x}");
    }
    for opcode in [0x8b, 0x8c, 0x8e, 0x0d] {
        assert!(!is_followed(&Jumps::of(X86_64, 2, [0x48, opcode, 0x05])), "{opcode:#x}");
    }
    // Not in what is written, not in what is not loaded, not on other processors.
    for (machine, flags, is_one) in [
        (X86_64, 2, true),
        (X86_64, 0x12, true),
        (X86_64, 3, false),
        (X86_64, 0, false),
        (X86_64, 1, false),
        (AARCH64, 2, false),
    ] {
        assert_eq!(is_followed(&Jumps::of(machine, flags, LEA)), is_one, "flags {flags} of {machine}");
    }
}

#[test]
fn in_code_nothing_is_a_table() {
    // The part with the tables is code too: then every address is one of code.
    let make = |start: u64, later: u64| table(start, &[later + 8, later + 16]);
    let program = |tables: Vec<u8>, start: u64, code: u64| {
        let distance = start.wrapping_sub(code + 7).to_le_bytes();
        let text = [&LEA[..], &distance[..4], &[0x90; 57]].concat();
        Moved::of(X86_64, vec![(".tables", 1, 2, tables, 0), (".text", 1, 6, text, 0)], data(), vec![])
    };
    let sized = program(make(0, 0), 0, 0);
    let [start, code, later] = [".tables", ".text", ".later"].map(|name| sized.address(name));
    let moved = program(make(start, later), start, code);
    assert_eq!(moved.of_section(".tables"), make(start, later));
}
