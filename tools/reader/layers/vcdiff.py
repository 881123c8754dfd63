"""VCDIFF (RFC 3284) with the default code table and the checksums that xdelta3 adds."""

import zlib

from package.cursor import Cursor
from package.faults import Refused

NOOP, ADD, RUN, COPY = range(4)
SOURCE, TARGET, CHECKSUM = 1, 2, 4
NEAR, SAME = 4, 3


def default_code_table():
    """The 256 pairs of instructions of section 5.6, each (type, size, mode)."""
    nothing = (NOOP, 0, 0)
    modes = range(9)
    table = [((RUN, 0, 0), nothing)] + [((ADD, size, 0), nothing) for size in range(18)]
    for mode in modes:
        table += [((COPY, size, mode), nothing) for size in [0, *range(4, 19)]]
    for mode in range(6):
        table += [((ADD, add, 0), (COPY, copy, mode)) for add in range(1, 5) for copy in range(4, 7)]
    for mode in range(6, 9):
        table += [((ADD, add, 0), (COPY, 4, mode)) for add in range(1, 5)]
    return table + [((COPY, 4, mode), (ADD, 1, 0)) for mode in modes]


TABLE = default_code_table()


class Addresses:
    """The caches of section 5.1, by which addresses of copies are written."""

    def __init__(self, cursor):
        self.cursor, self.near, self.next = cursor, [0] * NEAR, 0
        self.same = [0] * (SAME * 256)

    def address(self, here, mode):
        if mode == 0:
            address = self.cursor.high_first()
        elif mode == 1:
            address = here - self.cursor.high_first()
        elif mode < 2 + NEAR:
            address = self.near[mode - 2] + self.cursor.high_first()
        else:
            address = self.same[(mode - 2 - NEAR) * 256 + self.cursor.byte()]
        if not 0 <= address < here:
            raise Refused("a copy starts outside of what is known")
        self.near[self.next] = address
        self.next = (self.next + 1) % NEAR
        self.same[address % (SAME * 256)] = address
        return address


def apply(delta, source, size):
    """The target of `size` bytes."""
    cursor, target = Cursor(delta, "the VCDIFF"), bytearray()
    if cursor.take(4) != b"\xd6\xc3\xc4\0" or cursor.byte() != 0:
        raise Refused("this is no VCDIFF of the plain kind")
    while not cursor.ended():
        target += window(cursor, source, target, size - len(target))
    return bytes(target)


def window(cursor, source, target, room):
    """The bytes of the next window, of which there is room for `room`."""
    indicator = cursor.byte()
    if indicator & ~(SOURCE | TARGET | CHECKSUM) or indicator & 3 == 3:
        raise Refused("a window of the VCDIFF has an unknown indicator")
    segment = b""
    if indicator & (SOURCE | TARGET):
        length, start = cursor.high_first(), cursor.high_first()
        whole = source if indicator & SOURCE else target
        if start + length > len(whole):
            raise Refused("a window of the VCDIFF leads outside of its source")
        segment = bytes(whole[start : start + length])
    rest = Cursor(cursor.take(cursor.high_first()), "a window of the VCDIFF")
    size = rest.high_first()
    if size > room:
        raise Refused("the VCDIFF makes more than the layer")
    if rest.byte():
        raise Refused("the VCDIFF is compressed a second time")
    lengths = [rest.high_first() for _ in range(3)]
    checksum = int.from_bytes(rest.take(4), "big") if indicator & CHECKSUM else None
    data, instructions, addresses = (Cursor(rest.take(length), "a section of the VCDIFF") for length in lengths)
    rest.must_end()
    made = run(data, instructions, addresses, segment, size)
    if checksum is not None and zlib.adler32(made) != checksum:
        raise Refused("a window of the VCDIFF has another checksum")
    return made


def run(data, instructions, addresses, segment, size):
    """What the instructions of a window make of its segment."""
    known, known_addresses = bytearray(segment), Addresses(addresses)
    while not instructions.ended():
        for kind, length, mode in TABLE[instructions.byte()]:
            if kind == NOOP:
                continue
            length = length or instructions.high_first()
            if len(known) + length > len(segment) + size:
                raise Refused("the VCDIFF makes more than its window")
            if kind == ADD:
                known += data.take(length)
            elif kind == RUN:
                known += data.take(1) * length
            else:
                copy(known, known_addresses.address(len(known), mode), length)
    for section in (data, addresses):
        section.must_end()
    if len(known) != len(segment) + size:
        raise Refused("the VCDIFF makes less than its window")
    return bytes(known[len(segment) :])


def copy(known, start, length):
    """Copies within `known`; what such a copy makes itself repeats what stands from `start` on."""
    while length:
        part = known[start : start + length]
        known += part
        length -= len(part)
