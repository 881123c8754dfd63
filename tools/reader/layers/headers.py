"""Headers of a recipe's entries (FORMAT.md, section 8.3, the table of bits)."""

from package.cursor import WORD, Cursor
from package.faults import Refused

from .entries import BLOCK, checksum

TEXTS = {1: (0, 100, "names"), 4: (157, 100, "links"), 6: (345, 155, "prefixes")}
NUMBERS = {0: (136, 12, "times"), 3: (100, 8, "modes"), 7: (108, 8, "users"), 8: (116, 8, "owners")}
RARE = {5: (156, 1), 9: (265, 32), 10: (297, 32), 11: (257, 8), 12: (329, 8), 13: (337, 8), 14: (500, 12)}
SIZE, CHECKSUM, WHOLE = 2, 15, 16


def write_number(header, at, length, value):
    """Octal digits in all bytes but the last, which stays a blank or becomes NUL; what does not fit is left alone."""
    digits = b"%0*o" % (length - 1, value)
    if len(digits) < length:
        last = b" " if header[at + length - 1] == 0x20 else b"\0"
        header[at : at + length] = digits + last


def write_checksum(header):
    """The sum in six octal digits, or seven where the seventh byte is a digit."""
    digits = 7 if header[154] in b"0123456789" else 6
    header[148 : 148 + digits] = b"%0*o" % (digits, checksum(header))


class Headers:
    """Makes headers one behind the other from the columns of a recipe."""

    def __init__(self, columns):
        self.columns = columns
        self.numbers = dict.fromkeys(NUMBERS, 0)
        self.texts = dict.fromkeys(TEXTS, b"")

    def made(self, like, content_length):
        """The next header, made from one that it looks like."""
        mask, header = self.columns["masks"].number(), bytearray(like)
        if mask >> (WHOLE + 1) or (mask >> WHOLE and mask != 1 << WHOLE):
            raise Refused("a header has an unknown field")
        if mask >> WHOLE:
            return self.columns["whole"].take(BLOCK)
        write_number(header, 124, 12, content_length)
        for bit in range(CHECKSUM):
            if mask >> bit & 1:
                self.change(header, bit, content_length)
        write_checksum(header)
        if mask >> CHECKSUM:
            header[148:156] = self.columns["rare"].take(8)
        return bytes(header)

    def change(self, header, bit, content_length):
        if bit == SIZE:
            write_number(header, 124, 12, (content_length + self.columns["sizes"].number()) % WORD)
        elif bit in NUMBERS:
            at, length, column = NUMBERS[bit]
            self.numbers[bit] = (self.numbers[bit] + self.columns[column].signed()) % WORD
            write_number(header, at, length, self.numbers[bit])
        elif bit in TEXTS:
            at, length, column = TEXTS[bit]
            text = self.text(bit, length, self.columns[column])
            header[at : at + length] = text.ljust(length, b"\0")
        else:
            at, length = RARE[bit]
            header[at : at + length] = self.columns["rare"].take(length)

    def text(self, bit, room, column: Cursor):
        shared, more = self.columns["shared"].number(), self.columns["shared"].number()
        if shared > len(self.texts[bit]) or shared + more > room:
            raise Refused("a text of a header is longer than its field")
        self.texts[bit] = self.texts[bit][:shared] + column.take(more)
        return self.texts[bit]
