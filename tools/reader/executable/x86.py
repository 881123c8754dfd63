"""Code of x86-64 and i386 (FORMAT.md, section 10.4), and the jump tables of x86-64 (10.3)."""

from bisect import bisect_left, bisect_right

from .elf import X86_64, first_with_address

ONE_MORE_TWO_BYTE = {0x70, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6}
OPCODES = (
    {opcode for opcode in range(0x40) if opcode & 7 < 4}
    | {0x63, 0x69, 0x6B, 0xC0, 0xC1, 0xC6, 0xC7, 0xF6, 0xF7, 0xFE, 0xFF}
    | set(range(0x80, 0x90)) | set(range(0xD0, 0xD4)) | set(range(0xD8, 0xE0))
)
ONE_MORE, FOUR_MORE = {0x80, 0x83, 0xC0, 0xC1, 0x6B, 0xC6}, {0x81, 0x69, 0xC7}


def code(writer, section):
    """Distances in a section of code."""
    at, elf = section.offset, writer.elf
    while at + 5 <= section.end:
        step = branch(writer, at, section.end)
        if not step and elf.is_64 and at > section.offset:
            step = relative_operand(writer, at)
        at += step or 1


def is_code(elf, address):
    part = first_with_address(elf.loaded, address)
    return part is not None and part.is_code


def branch(writer, at, section_end):
    """How many bytes a call or jump at `at` has, when there is one."""
    base, opcode = writer.base, 1
    if base[at] == 0x0F and 0x80 <= base[at + 1] <= 0x8F:
        opcode = 2
    elif base[at] not in (0xE8, 0xE9):
        return 0
    here = writer.here(at + opcode)
    if at + opcode + 4 > section_end or here is None:
        return 0
    if not is_code(writer.elf, here + 4 + writer.signed(at + opcode)):
        return 0
    writer.distance_from_here(at + opcode, 4)
    return opcode + 4


def relative_operand(writer, at):
    """How many bytes the ModRM byte at `at` has with its distance, when there is one."""
    base, elf = writer.base, writer.elf
    more = bytes_behind(base, at) if base[at] & 0xC7 == 5 else None
    here = writer.here(at + 1)
    if more is None or here is None:
        return 0
    if first_with_address(elf.loaded, here + 4 + more + writer.signed(at + 1)) is None:
        return 0
    writer.distance_from_here(at + 1, 4 + more)
    return 5


def bytes_behind(base, at):
    """How many bytes of an instruction follow the distance behind its ModRM byte; nothing when no opcode is before."""
    opcode, second, third, fourth = (base[at - back] if at >= back else 0 for back in (1, 2, 3, 4))
    register = base[at] >> 3 & 7
    if second == 0x0F or third == 0xC5 or fourth == 0xC4:
        return int(opcode in ONE_MORE_TWO_BYTE)
    if third == 0x0F and second in (0x38, 0x3A):
        return int(second == 0x3A)
    if opcode not in OPCODES:
        return None
    if opcode in ONE_MORE or (opcode == 0xF6 and register < 2):
        return 1
    if opcode in FOUR_MORE or (opcode == 0xF7 and register < 2):
        return 2 if second == 0x66 or (0x40 <= second <= 0x4F and third == 0x66) else 4
    return 0


def taken_addresses(elf):
    """The addresses outside of code that `lea` takes, in their order."""
    if elf.machine != X86_64:
        return []
    found = set()
    for section in elf.sections:
        if not (section.counts and section.is_code):
            continue
        for at in range(section.offset, section.end - 6):
            if 0x48 <= elf.data[at] <= 0x4F and elf.data[at + 1] == 0x8D and elf.data[at + 2] & 0xC7 == 5:
                distance = int.from_bytes(elf.data[at + 3 : at + 7], "little", signed=True)
                address = section.address + at + 7 - section.offset + distance
                if elf.offset_of(address) is not None and not is_code(elf, address):
                    found.add(address)
    return sorted(found)


def jump_tables(writer, section, targets):
    """Tables of distances that start where code takes an address."""
    first, last = (bisect_left(targets, address) for address in (section.address, section.address + section.size))
    for number in range(first, last):
        start = targets[number]
        end = min(targets[number + 1 : number + 2] + [section.address + section.size])
        for place in range(start, end - 3, 4):
            at = section.offset + place - section.address
            if not is_code(writer.elf, start + writer.signed(at)):
                break
            writer.distance(at, start)
