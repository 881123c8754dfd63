"""Plans (FORMAT.md, section 9.3): how an opened content becomes the content again."""

import zlib

from package.cursor import Cursor
from package.faults import Refused, Unsupported

from .containers import trailer
from .deflate import GZIP_TRAILER, IDAT, NONE, ZLIB

BY_ZLIB, BY_GZIP, BY_NUMBER = 0, 2, 3
OTHERS = range(2, 6)


class Plan:
    """One plan; `opened_length` is the length of what it makes a content of."""

    def __init__(self, data):
        cursor = Cursor(data, "a plan")
        self.opened_length, self.skeleton_length = cursor.high_first(), cursor.high_first()
        self.list = Cursor(cursor.take(cursor.high_first()), "the list of a plan")
        self.nested = []
        while not cursor.ended():
            before = cursor.high_first()
            self.nested.append((before, Plan(cursor.take(cursor.high_first()))))

    def content(self, opened):
        """The content that is opened in `opened`."""
        opened = Cursor(opened, "an opened content")
        if len(opened.data) != self.opened_length:
            raise Refused("an opened content has another length than its plan says")
        skeleton = Cursor(opened.take(self.skeleton_length), "a skeleton")
        plain = Cursor(self.plain(opened), "the plain bytes of a plan")
        made = bytearray()
        while not self.list.ended():
            made += skeleton.take(self.list.high_first())
            made += wrapped(self.list, plain.take(self.list.high_first()))
        plain.must_end()
        return bytes(made + skeleton.rest())

    def plain(self, opened):
        """The plain bytes of all streams; those that are opened themselves are made first."""
        parts = []
        for before, plan in self.nested:
            parts += [opened.take(before), plan.content(opened.take(plan.opened_length))]
        return b"".join([*parts, opened.rest()])


def wrapped(fields, plain):
    """A stream with what belongs to it, as the next fields of a list say."""
    wrapping = fields.byte()
    if wrapping == NONE:
        return recreated(fields, plain)
    if wrapping == GZIP_TRAILER:
        return recreated(fields, plain) + trailer(plain)
    if wrapping not in (ZLIB, IDAT):
        raise Refused(f"a plan has the unknown wrapping {wrapping}")
    header = fields.take(2)
    lengths = chunk_lengths(fields) if wrapping == IDAT else []
    stream = header + recreated(fields, plain) + zlib.adler32(plain).to_bytes(4, "big")
    return idat_chunks(stream, lengths) if wrapping == IDAT else stream


def chunk_lengths(fields):
    """Pairs of how many chunks there are and of how many bytes."""
    return [(fields.high_first(), fields.high_first()) for _ in range(fields.high_first())]


def idat_chunks(stream, runs):
    stream, made = Cursor(stream, "the stream of a PNG"), bytearray()
    for count, length in runs:
        for _ in range(count):
            chunk = b"IDAT" + stream.take(length)
            made += length.to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    stream.must_end()
    return bytes(made)


def recreated(fields, plain):
    """The deflate stream that makes `plain`, as the next fields of a list say."""
    recreation = fields.byte()
    if recreation == BY_GZIP:
        raise Unsupported("the recreation 2 (the encoder of GNU gzip) is not supported by this reader")
    if recreation == BY_NUMBER and (number := fields.byte()) != 1:
        if number in OTHERS:
            raise Unsupported(f"the encoder {number} of a content is not supported by this reader")
        raise Refused(f"a plan has the unknown encoder {number}")
    if recreation not in (BY_ZLIB, BY_NUMBER):
        raise Refused(f"a plan has the unknown recreation {recreation}")
    first, second = fields.byte(), fields.byte()
    try:
        machine = zlib.compressobj(first & 15, zlib.DEFLATED, -(second & 15), second >> 4, first >> 4)
    except ValueError as fault:
        raise Refused(f"a plan has parameters of zlib that cannot be: {fault}") from fault
    return machine.compress(plain) + machine.flush()
