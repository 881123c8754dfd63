"""The tables of Go programs (FORMAT.md, section 10.6)."""

from .elf import WRITE, first_with_address

NONE = {0, 0xFFFFFFFF}
MAGIC = b"\xf1\xff\xff\xff"
FUNCTION_BYTES = 44
TYPE_BYTES_MIN = 48
TYPE_BYTES = {17: 72, 18: 64, 19: 56, 22: 56, 23: 56, 20: 80, 25: 80, 21: 88}


def predict(writer):
    """Predicts all tables, when there are any."""
    elf = writer.elf
    for section in elf.sections:
        if section.counts and section.name.endswith(b".gopclntab") and section.size > 72 \
                and elf.data[section.offset : section.offset + 4] == MAGIC:
            Tables(writer, section).predict()
            return


class Tables:
    """The table of functions of a Go program and what it leads to."""

    def __init__(self, writer, section):
        self.writer, self.elf, self.moves, self.section = writer, writer.elf, writer.moves, section
        words = [self.elf.little(section.offset + 8 + 8 * number, 8) for number in range(8)]
        self.functions, self.code = words[0], words[2]
        self.names, self.counters, self.rows = ((section.address + words[number]) % (1 << 64) for number in (3, 6, 7))
        self.module = self.find_module()

    def find_module(self):
        """Where the data of the module is in the file, or nothing."""
        start = self.section.address.to_bytes(8, "little") + self.names.to_bytes(8, "little")
        for section in self.elf.sections:
            if section.counts and section.loaded and section.flags & WRITE:
                for at in range(section.offset, section.end, 8):
                    if self.elf.data[at : at + 16] == start:
                        return at
        return None

    def module_word(self, number):
        at = self.module + 8 * number
        return self.elf.little(at, 8) if at + 8 <= len(self.elf.data) else None

    def predict(self):
        function_data = types = types_end = None
        if self.module is not None:
            function_data, types, types_end = (self.module_word(number) for number in (40, 37, 38))
        self.predict_rows(function_data)
        if types is None or self.moves.address(types) is None:
            return
        for section in self.elf.sections:
            if section.counts and section.name.endswith(b".typelink"):
                for at in range(section.offset, section.end - 3, 4):
                    self.offset(at, types)
        self.predict_types(types, types_end or 0)

    def offset(self, at, start):
        """A distance of 32 bits from an address; 0 and -1 are none."""
        if start is not None and self.elf.little(at, 4) not in NONE:
            self.writer.distance(at, start)

    def predict_rows(self, function_data):
        if any(self.moves.address(start) is None for start in (self.code, self.names, self.counters, self.rows)):
            return
        section, rows = self.section, self.section.offset + self.rows - self.section.address
        for number in range(self.functions):
            at = rows + 8 * number
            if at < section.offset or at + 8 > section.end:
                break
            self.offset(at, self.code)
            self.offset(at + 4, self.rows)
            function = rows + self.elf.little(at + 4, 4)
            if function + FUNCTION_BYTES < section.end:
                self.predict_function(function, function_data)

    def predict_function(self, at, function_data):
        self.offset(at, self.code)
        self.offset(at + 4, self.names)
        for field in (16, 20, 24):
            self.offset(at + field, self.counters)
        counters, data = self.elf.little(at + 28, 4), self.elf.data[at + 43]
        if counters > 16 or data > 16:
            return
        place = at + FUNCTION_BYTES
        for start in [self.counters] * counters + [function_data] * data:
            self.offset(place, start)
            place += 4

    def predict_types(self, types, types_end):
        first, last = self.elf.offset_of(types), self.elf.offset_of(types_end - 1)
        if first is None or last is None or self.moves.address(self.code) is None:
            return
        at = first
        while at < min(last, len(self.elf.data)):
            at = self.predict_type(at, types)

    def predict_type(self, at, types):
        """Where the type behind the one at `at` is looked for."""
        if not self.is_type(at):
            return at + 8
        self.offset(at + 40, types)
        self.offset(at + 44, types)
        flags, kind = self.elf.data[at + 20], self.elf.data[at + 23] & 31
        if not flags & 1:
            return at + TYPE_BYTES_MIN
        more = at + TYPE_BYTES.get(kind, TYPE_BYTES_MIN)
        self.offset(more, types)
        end = self.predict_methods(more, types)
        return at + 8 if end is None else max(end, at + TYPE_BYTES_MIN)

    def is_type(self, at):
        elf = self.elf
        if at + 24 > len(elf.data):
            return False
        alignments, kind = elf.data[at + 21 : at + 23], elf.data[at + 23] & 31
        if set(alignments) - {1, 2, 4, 8} or not 1 <= kind <= 26:
            return False
        size, pointers, equal, bits = (self.word(at + field) for field in (0, 8, 24, 32))
        return pointers <= size and (equal == 0 or self.in_base(equal)) and self.in_base(bits)

    def word(self, at):
        """A word, or 0 where the file does not have all of it."""
        return self.elf.little(at, 8) if at + 8 <= len(self.elf.data) else 0

    def in_base(self, address):
        return first_with_address(self.elf.loaded, address) is not None

    def predict_methods(self, more, types):
        """The end of the methods of a type, of which `more` tells; nothing where the file does not have all of them."""
        elf = self.elf
        if more + 12 > len(elf.data):
            return None
        methods = more + elf.little(more + 8, 4)
        end = methods + 16 * elf.little(more + 4, 2)
        if end > len(elf.data):
            return None
        for method in range(methods, end, 16):
            for field, start in ((0, types), (4, types), (8, self.code), (12, self.code)):
                self.offset(method + field, start)
        return end
