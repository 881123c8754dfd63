"""Plans of blobs (FORMAT.md, section 13): how a layer becomes the compressed blob again."""

import zlib

from package.cursor import Cursor
from package.faults import Refused, Unsupported

KEPT, MADE, MADE_WITH_TRAILER = range(3)
BY_ZLIB = 1
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
        if not OTHERS[number](pieces):
            raise Refused(f"the plan of a blob has settings that the encoder {number} has not")
        raise Unsupported(f"the encoder {number} of a blob is not supported by this reader")
    if number != BY_ZLIB:
        raise Refused(f"the plan of a blob has the unknown encoder {number}")
    first, second = pieces.byte(), pieces.byte()
    try:
        machine = zlib.compressobj(first & 15, zlib.DEFLATED, -(second & 15), second >> 4, first >> 4)
    except ValueError as fault:
        raise Refused(f"the plan of a blob has parameters of zlib that cannot be: {fault}") from fault
    return lambda plain: machine.compress(plain) + machine.flush()


def signed_byte(pieces):
    return int.from_bytes(pieces.take(1), signed=True)


def is_pigz(pieces):
    options, block = pieces.byte(), int.from_bytes(pieces.take(2))
    is_known = 1 <= options & 15 <= 9 and options & 0x80 == 0 and options & 0x30 != 0x30 and options & 0x50 != 0x50
    return is_known and 32 <= block <= 4096


def is_go(pieces):
    return signed_byte(pieces) in (-2, *range(10))


def is_go_with_checkpoints(pieces):
    level, count = signed_byte(pieces), pieces.high_first()
    if level not in range(4, 10) or not count:
        return False
    before = None
    for _ in range(count):
        window, at = pieces.little(4), pieces.little(2)
        pieces.take(6)
        position = window * 32768 + at
        if before is not None and position < before + 262144:
            return False
        before = position
    return True


def is_modern(pieces):
    is_known = is_go(pieces) and pieces.byte() <= 1
    pieces.take(4)
    return is_known


def is_other_version_of_modern(pieces):
    level, version, _ = signed_byte(pieces), pieces.byte(), pieces.take(4)
    return (version == 0 and level in range(7, 10)) or (version == 1 and level == 4)


def is_gnu(pieces):
    program, level = divmod(pieces.byte(), 16)
    return program <= 1 and 1 <= level <= 9


def is_klauspost_zstd(pieces):
    version, level, _ = pieces.take(3)
    return version in range(1, 6) and level in (1, 2)


def is_high_level_of_klauspost_zstd(pieces):
    version, level, _ = pieces.take(3)
    return version in (1, 4, 5) and level in (3, 4)


def is_libzstd(pieces):
    level, flags = signed_byte(pieces), pieces.byte()
    return level in (*range(-7, 0), *range(1, 20)) and flags < 8


OTHERS = {2: is_pigz, 3: is_go, 4: is_modern, 5: is_gnu, 6: is_klauspost_zstd, 7: is_libzstd, 8: is_go_with_checkpoints,
          9: is_other_version_of_modern, 10: is_high_level_of_klauspost_zstd}


def trailer(plain):
    return zlib.crc32(plain).to_bytes(4, "little") + (len(plain) % 2**32).to_bytes(4, "little")
