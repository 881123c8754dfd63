"""Symbols, relocations and tables of addresses (FORMAT.md, section 10.3)."""

from .elf import REL, RELA

ADDRESS_TAGS = {3, 4, 5, 6, 7, 12, 13, 17, 23, 25, 26, 32, 36, 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFE}


def symbols(writer, section):
    elf, moves = writer.elf, writer.moves
    row, index_at, value_at, size_at = (24, 6, 8, 16) if elf.is_64 else (16, 14, 4, 8)
    for at in range(section.offset, section.end - row + 1, row):
        name = elf.linked(section, elf.little(at, 4))
        if name is not None:
            writer.write(at, 4, moves.offset(name[0]) - moves.offset(name[1]))
        if not elf.little(at + index_at, 2):
            continue
        value, size = elf.read_word(at + value_at), elf.read_word(at + size_at)
        writer.word_address(at + value_at)
        if not size or elf.offset_of(value) is None:
            continue
        moved, end = moves.address(value), moves.end(value + size)
        if moved is not None and end is not None and end >= moved:
            writer.write(at + size_at, elf.word, end - moved)


def relocations(writer, section):
    elf, moves = writer.elf, writer.moves
    word, has_addend = elf.word, section.kind == RELA
    row = word * (3 if has_addend else 2)
    shift = 32 if elf.is_64 else 8
    for at in range(section.offset, section.end - row + 1, row):
        place, information = elf.read_word(at), elf.read_word(at + word)
        writer.word_address(at)
        symbol = information >> shift
        if symbol:
            number = moved_symbol(writer, section, symbol)
            if number is not None:
                writer.write(at + word, word, number << shift | information & ((1 << shift) - 1))
            continue
        there = elf.offset_of(place)
        if section.kind == REL:
            if there is not None:
                writer.word_address(there)
            continue
        writer.word_address(at + 2 * word)
        if there is not None and elf.read_word(there) == elf.read_word(at + 2 * word):
            writer.word_address(there)


def moved_symbol(writer, section, symbol):
    """The number that a row of the linked section has in the target, or nothing."""
    elf, moves = writer.elf, writer.moves
    row = 24 if elf.is_64 else 16
    place = elf.linked(section, symbol * row)
    if place is None:
        return None
    moved = moves.offset(place[0]) - moves.offset(place[1])
    return moved // row if moved >= 0 and moved % row == 0 and moved // row < 1 << (32 if elf.is_64 else 24) else None


def relative_relocations(writer, section):
    """RELR: an even word is a place, an odd one says which of the words behind are."""
    elf, place = writer.elf, 0
    for at in range(section.offset, section.end - elf.word + 1, elf.word):
        word = elf.read_word(at)
        if not word & 1:
            writer.word_address(at)
            word_at(writer, word)
            place = word + elf.word
        else:
            for bit in range(1, 8 * elf.word):
                if word >> bit & 1:
                    word_at(writer, place + (bit - 1) * elf.word)
            place += (8 * elf.word - 1) * elf.word


def word_at(writer, address):
    offset = writer.elf.offset_of(address)
    if offset is not None:
        writer.word_address(offset)


def dynamic(writer, section):
    elf = writer.elf
    for at in range(section.offset, section.end - 2 * elf.word + 1, 2 * elf.word):
        if elf.read_word(at) in ADDRESS_TAGS:
            writer.word_address(at + elf.word)


def words(writer, section):
    """A section of words that are addresses."""
    for at in range(section.offset, section.end - writer.elf.word + 1, writer.elf.word):
        writer.word_address(at)
