"""What is predicted in the headers of an executable (FORMAT.md, section 10.3)."""

from .elf import LOAD, NOBITS


def predict(writer):
    elf, moves = writer.elf, writer.moves
    writer.word_address(elf.entry_at)
    writer.write(elf.sections_at, elf.word, moves.offset(elf.read_word(elf.sections_at)))
    loaded = iter(moves.target_parts)
    for part in elf.parts:
        fields = (8, 16, 24, 32, 40) if elf.is_64 else (4, 8, 12, 16, 20)
        offset, address, physical, in_file, in_memory = (part.header + field for field in fields)
        if part.kind == LOAD:
            target = next(loaded, None)
            if target is not None:
                for at, value in [(offset, target.offset), (address, target.address), (physical, target.address),
                                  (in_file, target.in_file), (in_memory, target.in_memory)]:
                    writer.write(at, elf.word, value)
            continue
        writer.word_address(address)
        writer.word_address(physical)
        span(writer, offset, in_file, in_memory)
    for section in elf.sections:
        if section.header is not None:
            address, offset, size = (section.header + 8 + elf.word * field for field in (1, 2, 3))
            if section.counts and section.loaded:
                writer.word_address(address)
            if section.counts and section.kind != NOBITS:
                span(writer, offset, size)


def span(writer, offset_at, *sizes_at):
    """An offset and the size of what is there, which may stand in two places."""
    elf, moves = writer.elf, writer.moves
    offset, size = elf.read_word(offset_at), elf.read_word(sizes_at[0])
    if not size:
        return
    start = moves.offset(offset)
    writer.write(offset_at, elf.word, start)
    moved = moves.offset(offset + size - 1) + 1 - start
    for at in sizes_at:
        writer.write(at, elf.word, moved if moved >= 0 else size)
