"""BSDIFF40, as bspatch reads it."""

from package.compression import decompressed
from package.cursor import Cursor
from package.faults import Refused


def signed(field):
    """Eight bytes, little-endian, with the sign in the highest bit."""
    value = int.from_bytes(field, "little")
    return -(value & ~(1 << 63)) if value >> 63 else value


def apply(delta, base, size):
    """The target of `size` bytes."""
    cursor = Cursor(delta, "the BSDIFF40")
    if cursor.take(8) != b"BSDIFF40":
        raise Refused("this is no BSDIFF40")
    control_length, difference_length, target_length = (signed(cursor.take(8)) for _ in range(3))
    if target_length != size or control_length < 0 or difference_length < 0:
        raise Refused("the header of the BSDIFF40 says what cannot be")
    control = decompressed(cursor.take(control_length), "bz2", 24 * (size + 1) + 48)
    differences = Cursor(decompressed(cursor.take(difference_length), "bz2", size), "the differences")
    extra = Cursor(decompressed(cursor.rest(), "bz2", size), "the extra bytes")
    return patched(Cursor(control, "the control of the BSDIFF40"), differences, extra, base, size)


def patched(control, differences, extra, base, size):
    target, at = bytearray(), 0
    while len(target) < size:
        add, insert, seek = (signed(control.take(8)) for _ in range(3))
        if add < 0 or insert < 0 or len(target) + add + insert > size:
            raise Refused("the control of the BSDIFF40 leads outside")
        old = (base[place] if 0 <= place < len(base) else 0 for place in range(at, at + add))
        target += bytes((one + other) & 0xFF for one, other in zip(old, differences.take(add)))
        target += extra.take(insert)
        at += add + seek
    return bytes(target)
