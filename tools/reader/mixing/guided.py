"""Streams whose bytes are decoded where they are used (FORMAT.md, section 22)."""

from typing import NamedTuple

from package.faults import Refused

from .bits import Predictor
from .decoder import Decoder

WORD = (1 << 32) - 1
SEEN_BYTES = 33554432
OUTSIDE, INSIDE, BEHIND = 16, 512, 16


class Guide(NamedTuple):
    """What is known of a value: its gap, the next one and the two before; the base's byte and the last two of the content."""

    gaps: tuple
    around: tuple


class Guided:
    def __init__(self, model, length, coded):
        self.predictor, self.length, self.left = Predictor(model, length, []), length, length
        self.decoder = Decoder(self.predictor, coded)

    def byte(self):
        if not self.left:
            raise Refused("a guided stream is too short")
        self.left -= 1
        return self.decoder.byte()


class Values(Guided):
    """The stream `values`."""

    gaps = 0, 0

    def value(self, gap, following, base, made):
        """The value behind the bytes `made` of the content, which is added to the byte `base`."""
        behind = bytes(2) + made[-2:]
        self.predictor.past.guide = Guide((gap & WORD, following & WORD, *self.gaps), (base, behind[-1], behind[-2]))
        self.gaps = gap & WORD, self.gaps[0]
        return self.byte()


class Literals(Guided):
    """The stream `literals`."""

    def after(self, made, base, end, following, count):
        """Literals behind the bytes `made`, between a match that ends at `end` of the base and one that starts at `following`."""
        if count and len(self.predictor.past.data) < SEEN_BYTES:
            first, last = max(end - OUTSIDE, 0), following + OUTSIDE
            if 0 <= following - end <= 2 * INSIDE:
                shown = base[first:last]
            else:
                shown = base[first : end + INSIDE] + base[max(following - INSIDE, 0) : last]
            for byte in bytes(shown) + bytes(made[-BEHIND:]):
                self.predictor.see(byte)
        return bytes(self.byte() for _ in range(count))
