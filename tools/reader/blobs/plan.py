"""Plans of blobs (FORMAT.md, section 13): how a layer becomes the compressed blob again."""

import zlib

from package.cursor import Cursor
from package.faults import Refused, Unsupported

KEPT, MADE, MADE_WITH_TRAILER = range(3)
BY_ZLIB, OTHERS = 1, range(2, 8)
PLAN_BYTES = 16777216


def blob(plan, layer):
    """What `plan` makes of the bytes of `layer`."""
    if len(plan) > PLAN_BYTES:
        raise Refused(f"a plan of a blob has more than {PLAN_BYTES} bytes")
    pieces, plain, made = Cursor(plan, "the plan of a blob"), Cursor(layer, "a layer"), bytearray()
    while not pieces.ended():
        kind = pieces.byte()
        if kind == KEPT:
            length = pieces.high_first()
            plain.take(pieces.high_first())
            made += pieces.take(length)
        elif kind in (MADE, MADE_WITH_TRAILER):
            encode = encoder(pieces)
            part = plain.take(pieces.high_first())
            made += encode(part) + (trailer(part) if kind == MADE_WITH_TRAILER else b"")
        else:
            raise Refused(f"the plan of a blob has a piece of the unknown kind {kind}")
    plain.must_end()
    return bytes(made)


def encoder(pieces):
    """The encoder that the next fields of a plan name."""
    number = pieces.byte()
    if number in OTHERS:
        raise Unsupported(f"the encoder {number} of a blob is not supported by this reader")
    if number != BY_ZLIB:
        raise Refused(f"the plan of a blob has the unknown encoder {number}")
    first, second = pieces.byte(), pieces.byte()
    try:
        machine = zlib.compressobj(first & 15, zlib.DEFLATED, -(second & 15), second >> 4, first >> 4)
    except ValueError as fault:
        raise Refused(f"the plan of a blob has parameters of zlib that cannot be: {fault}") from fault
    return lambda plain: machine.compress(plain) + machine.flush()


def trailer(plain):
    return zlib.crc32(plain).to_bytes(4, "little") + (len(plain) % 2**32).to_bytes(4, "little")
