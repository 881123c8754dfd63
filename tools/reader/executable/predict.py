"""Predicted executables (FORMAT.md, section 10): the base with the addresses that it will have in the target."""

from . import aarch64, debug, elf, frames, go, headers, tables, x86
from .moves import Moves
from .writer import Writer


def predicted(base, matches, hint):
    """The base as it is predicted; as it stands when it is no executable or the hint is another."""
    file = elf.parse(base)
    if file is None:
        return base
    moves = Moves(file, matches, hint)
    if not moves.known:
        return base
    writer = Writer(file, moves)
    headers.predict(writer)
    targets = x86.taken_addresses(file)
    for section in file.sections:
        if section.counts and section.size:
            predict_section(writer, section, targets)
    if file.is_64:
        go.predict(writer)
    return bytes(writer.copy)


def predict_section(writer, section, targets):
    """What section 10.3 says of a section with bytes."""
    file, kind = writer.elf, section.kind
    if kind in (elf.SYMTAB, elf.DYNSYM):
        tables.symbols(writer, section)
    elif kind in (elf.RELA, elf.REL):
        tables.relocations(writer, section)
    elif kind == elf.RELR:
        tables.relative_relocations(writer, section)
    elif kind == elf.DYNAMIC:
        tables.dynamic(writer, section)
    elif kind in (elf.INIT_ARRAY, elf.FINI_ARRAY):
        tables.words(writer, section)
    elif section.name == b".eh_frame_hdr" and section.loaded:
        frames.search_table(writer, section)
    elif section.name == b".eh_frame" and section.loaded:
        frames.frames(writer, section)
    elif kind == elf.PROGBITS:
        predict_bytes(writer, section, targets)


def predict_bytes(writer, section, targets):
    """A section of type 1."""
    file = writer.elf
    if section.name.startswith(b".debug_") and file.is_64:
        debug.predict(writer, section)
    elif section.is_code and file.machine in (elf.X86_64, elf.I386):
        x86.code(writer, section)
    elif section.is_code and file.machine == elf.AARCH64:
        aarch64.code(writer, section)
    elif section.loaded and not section.is_code:
        if section.name.startswith(b".got") or file.kind == elf.FIXED_ADDRESSES:
            tables.words(writer, section)
        elif file.machine == elf.X86_64 and not section.flags & elf.WRITE:
            x86.jump_tables(writer, section, targets)
