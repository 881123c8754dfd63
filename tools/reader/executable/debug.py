"""Sections for debuggers (FORMAT.md, section 10.7)."""

from .x86 import is_code

ADDRESSES, LENGTHS = 1 << 40, 16777216


def predict(writer, section):
    elf, moves, at = writer.elf, writer.moves, section.offset
    while at + 8 <= section.end:
        address = elf.little(at, 8)
        if address >= ADDRESSES or not is_code(elf, address) or moves.address(address) is None:
            at += 1
            continue
        moved = moves.address(address)
        writer.write(at, 8, moved)
        at += 8
        if at + 8 > section.end:
            break
        at += behind_address(writer, at, address, moved)


def behind_address(writer, at, address, moved):
    """How many bytes of the word behind an address were written: that of an end, of a length, or none."""
    elf, moves = writer.elf, writer.moves
    word = elf.little(at, 8)
    if 0 < word - address < LENGTHS:
        end = moves.end(word)
    elif 0 < word < LENGTHS and is_code(elf, address + word - 1):
        end = moves.end(address + word)
        end = None if end is None or end < moved else end - moved
    else:
        return 0
    writer.write(at, 8, end)
    return 0 if end is None else 8
