"""ELF files in little-endian order (System V ABI), as far as section 10 of FORMAT.md looks at them."""

from dataclasses import dataclass

from package.cursor import WORD

PROGRAM_HEADERS, SECTION_HEADERS = 256, 4096
LOAD, EXECUTABLE = 1, 1
WRITE, ALLOCATED, INSTRUCTIONS = 1, 2, 4
PROGBITS, SYMTAB, STRTAB, RELA, HASH, DYNAMIC, NOTE, NOBITS, REL = range(1, 10)
DYNSYM, INIT_ARRAY, FINI_ARRAY, RELR = 11, 14, 15, 19
I386, X86_64, AARCH64 = 3, 62, 183
FIXED_ADDRESSES = 2


@dataclass
class Part:
    """What a program header says."""

    kind: int
    flags: int
    offset: int
    address: int
    in_file: int
    in_memory: int
    header: int

    @property
    def is_code(self):
        return self.kind == LOAD and bool(self.flags & EXECUTABLE)


@dataclass
class Section:
    """What a section header says; `counts` is whether its bytes are looked at."""

    name: bytes
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    header: int
    counts: bool = False

    @property
    def loaded(self):
        return bool(self.flags & ALLOCATED)

    @property
    def is_code(self):
        return self.kind == PROGBITS and bool(self.flags & INSTRUCTIONS)

    @property
    def end(self):
        return self.offset + self.size


class Elf:
    """The headers of an ELF file."""

    def __init__(self, data):
        self.data, self.is_64 = data, data[4] == 2
        self.word = 8 if self.is_64 else 4
        self.kind, self.machine = self.little(16, 2), self.little(18, 2)
        self.entry_at, self.sections_at = (24, 40) if self.is_64 else (24, 32)
        self.parts = [self.part(at) for at in self.table(*((32, 54, 56) if self.is_64 else (28, 42, 44)), PROGRAM_HEADERS)]
        self.loaded = [part for part in self.parts if part.kind == LOAD]
        rows = self.table(self.sections_at, *((58, 60) if self.is_64 else (46, 48)), SECTION_HEADERS)
        self.sections = [self.section(at) for at in rows]
        self.name_sections(self.little(62 if self.is_64 else 50, 2))
        self.count_sections()

    def little(self, at, size):
        return int.from_bytes(self.data[at : at + size], "little")

    def read_word(self, at):
        return self.little(at, self.word)

    def table(self, offset_at, size_at, count_at, most):
        """The places of the rows of a table of headers; none when it does not fit into the file."""
        start, size, count = self.read_word(offset_at), self.little(size_at, 2), self.little(count_at, 2)
        least = {True: (56, 64), False: (32, 40)}[self.is_64][offset_at == self.sections_at]
        count = min(count, most)
        if size < least or start + size * count > len(self.data):
            return []
        return [start + size * row for row in range(count)]

    def part(self, at):
        if self.is_64:
            kind, flags = self.little(at, 4), self.little(at + 4, 4)
            offset, address, in_file, in_memory = (self.little(at + field, 8) for field in (8, 16, 32, 40))
        else:
            kind, flags = self.little(at, 4), self.little(at + 24, 4)
            offset, address, in_file, in_memory = (self.little(at + field, 4) for field in (4, 8, 16, 20))
        return Part(kind, flags, offset, address, in_file, in_memory, at)

    def section(self, at):
        flags, address, offset, size = (self.read_word(at + 8 + self.word * field) for field in range(4))
        name = self.little(at, 4).to_bytes(4, "little")
        return Section(name, self.little(at + 4, 4), flags, address, offset, size, self.little(at + 8 + 4 * self.word, 4), at)

    def name_sections(self, names):
        table = self.sections[names] if names < len(self.sections) else None
        for section in self.sections:
            start = int.from_bytes(section.name, "little")
            whole = self.data[table.offset : table.end] if table else b""
            section.name = whole[start:].partition(b"\0")[0]

    def count_sections(self):
        """Decides which sections count: those that have no more bytes than the file has besides those before."""
        if not self.sections:
            self.sections = [
                Section(b"", PROGBITS, ALLOCATED | INSTRUCTIONS, part.address, part.offset, part.in_file, 0, None)
                for part in self.loaded if part.is_code
            ]
        room = len(self.data)
        for section in self.sections:
            if section.kind == NOBITS:
                section.size, section.counts = 0, True
            elif section.end <= len(self.data) and section.size <= room:
                section.counts = True
                room -= section.size

    def linked(self, section, place):
        """Where the byte at `place` of the section that `section` refers to is, when it has it, and where that starts."""
        linked = self.sections[section.link] if section.link < len(self.sections) else None
        return (linked.offset + place, linked.offset) if linked and linked.counts and place < linked.size else None

    def offset_of(self, address):
        """Where the file has an address of a loaded part, or nothing."""
        part = first_with_address(self.loaded, address)
        if part is None or address - part.address >= part.in_file:
            return None
        return part.offset + address - part.address

    def address_of(self, offset):
        """The address that the loaded parts give a place in the file, or nothing."""
        return address_of(self.loaded, offset)

    def bss(self):
        """The address of `.bss`, or 0."""
        return next((section.address for section in self.sections if section.kind == NOBITS and section.name == b".bss"), 0)


def first_with_address(parts, address):
    return next((part for part in parts if 0 <= address - part.address < part.in_memory), None)


def address_of(parts, offset):
    """The address of a place in the file, by the first of the parts that has it."""
    part = next((part for part in parts if 0 <= offset - part.offset < part.in_file), None)
    return None if part is None else (part.address + offset - part.offset) % WORD


def parse(data):
    """The ELF file that `data` is, or nothing."""
    if data[:4] != b"\x7fELF" or len(data) < 64 or data[4] not in (1, 2) or data[5] != 1:
        return None
    return Elf(data)
