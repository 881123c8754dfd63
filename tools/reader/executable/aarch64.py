"""Code of AArch64 (FORMAT.md, section 10.5)."""

LITERALS = {0x54, 0x34, 0x35, 0xB4, 0xB5, 0x18, 0x58, 0x98, 0x1C, 0x5C, 0x9C}
TESTS = {0x36, 0x37, 0xB6, 0xB7}
BEHIND_PAGE = 24
PAGE = 4096


def code(writer, section):
    for at in range(section.offset, section.end - 3, 4):
        instruction, address = writer.elf.little(at, 4), section.address + at - section.offset
        top = instruction >> 24
        if top & 0x7C == 0x14:
            branch(writer, at, address, instruction, 0, 26)
        elif top in LITERALS:
            branch(writer, at, address, instruction, 5, 19)
        elif top in TESTS:
            branch(writer, at, address, instruction, 5, 14)
        elif top & 0x9F == 0x10:
            moved = pair(writer, address, address + split_distance(instruction))
            if moved is not None:
                write_split(writer, at, instruction, moved[1] - moved[0])
        elif top & 0x9F == 0x90:
            page(writer, section, at, address, instruction)


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def pair(writer, here, there):
    """Where two addresses are in the target, or nothing when one does not move."""
    moved = writer.moves.address(here), writer.moves.address(there)
    return None if None in moved else moved


def branch(writer, at, address, instruction, low, bits):
    """A distance in instructions, of `bits` bits from bit `low` on."""
    moved = pair(writer, address, address + 4 * signed(instruction >> low, bits))
    if moved is None:
        return
    mask = (1 << bits) - 1
    distance = (moved[1] - moved[0]) >> 2 & mask
    writer.write(at, 4, instruction & ~(mask << low) | distance << low)


def split_distance(instruction):
    """The distance of ADR and ADRP: 19 bits from bit 5 on, and behind them the two bits 29 and 30."""
    return signed((instruction >> 5 & 0x7FFFF) << 2 | instruction >> 29 & 3, 21)


def write_split(writer, at, instruction, distance):
    distance &= (1 << 21) - 1
    kept = instruction & 0x9F00001F
    writer.write(at, 4, kept | (distance & 3) << 29 | distance >> 2 << 5)


def page(writer, section, at, address, instruction):
    """ADRP, and the instructions behind it that add an offset to its page."""
    moves, register = writer.moves, instruction & 31
    start = address // PAGE * PAGE + split_distance(instruction) * PAGE
    moved_page = None
    for behind in range(at + 4, min(at + 4 + 4 * BEHIND_PAGE, section.end - 3), 4):
        other = writer.elf.little(behind, 4)
        scale = scale_of(other)
        if scale is not None and other >> 5 & 31 == register:
            moved = moves.address(start + ((other >> 10 & 0xFFF) << scale))
            if moved is not None:
                writer.write(behind, 4, other & ~(0xFFF << 10) | (moved % PAGE >> scale) << 10)
                moved_page = moved if moved_page is None else moved_page
        if other >> 24 & 0x9F == 0x90 and other & 31 == register:
            break
    if moved_page is None:
        moved_page = moves.address(start)
    here = moves.address(address)
    if moved_page is not None and here is not None:
        write_split(writer, at, instruction, moved_page // PAGE - here // PAGE)


def scale_of(instruction):
    """By how many bits the offset of an ADD, load or store is shifted; nothing for others."""
    if instruction >> 24 == 0x91 and not instruction >> 22 & 1:
        return 0
    if instruction & 0x3B000000 == 0x39000000:
        return 4 if instruction >> 26 & 1 and instruction >> 23 & 1 else instruction >> 30
    return None
