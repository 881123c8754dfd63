"""Deflate streams (RFC 1951) in a content, and what they make."""

import zlib
from dataclasses import dataclass

LEAST_BYTES = 32
PLAIN_BYTES = 4294967296
NONE, GZIP_TRAILER, ZLIB, IDAT = range(4)


@dataclass
class Stream:
    """A stream from `start` to `end` of a content; in chunks of a PNG it has holes in between."""

    start: int
    end: int
    plain: bytes


class Allowance:
    """How many plain bytes the streams of one content may still make together."""

    def __init__(self):
        self.left = PLAIN_BYTES


def inflated(data, start, allowance):
    """The plain bytes of the stream at `start`, and where it ends; nothing when it is not whole or makes too much."""
    machine = zlib.decompressobj(-15)
    try:
        plain = machine.decompress(data[start:], allowance.left + 1)
    except zlib.error:
        return None
    if not machine.eof or len(plain) > allowance.left:
        return None
    return plain, len(data) - len(machine.unused_data)


def counted(data, start, allowance, end=None):
    """The stream at `start` when it counts; when `end` is given, it must end there."""
    made = inflated(data, start, allowance)
    if made is None or end not in (None, made[1]) or made[1] - start < LEAST_BYTES:
        return None
    allowance.left -= len(made[0])
    return Stream(start, made[1], made[0])
