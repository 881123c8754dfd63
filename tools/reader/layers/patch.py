"""Patch streams (FORMAT.md, sections 4 and 22): a content from another one."""

from mixing.guided import Literals, Values
from package.faults import Refused

LEAST_MATCH = 16


class Patches:
    """The four streams that the patches of a layer share."""

    def __init__(self, control, gaps, values, literals):
        self.control, self.gaps, self.values, self.literals = control, gaps, values, literals

    def made(self, base, length, predict=None):
        """The next content, of `length` bytes. `predict` makes of the base and the matches the bytes that are copied."""
        pieces = self.pieces(len(base), length)
        if predict:
            base = predict(base, self.matches(pieces))
        target, end = bytearray(), 0
        gap = ahead = self.gaps.number()
        for literals, start, size in pieces:
            target += self.added(target, base, end, start, literals)
            place, end = len(target), start + size
            target += base[start:end]
            while ahead and place + ahead <= len(target):
                place += ahead - 1
                following = self.gaps.number()
                value = self.value(gap, following, target[place], target[max(place - 2, 0) : place])
                target[place] = target[place] + value & 0xFF
                place, gap, ahead = place + 1, following, following
            if ahead:
                ahead -= len(target) - place
        if ahead:
            raise Refused("a difference of a patch is behind its matches")
        return bytes(target)

    def pieces(self, base_length, length):
        """What the content is made of: each time literals and a match as (literals, place in the base, length), which is at the end of the base and empty behind the last."""
        found, made, expected = [], 0, 0
        while made < length:
            literals = self.control.number()
            if literals > length - made:
                raise Refused("a patch has more literals than its content")
            made += literals
            if made == length:
                return [*found, (literals, base_length, 0)]
            size = self.control.number() + LEAST_MATCH
            start = expected + literals + self.control.signed()
            if size > length - made or start < 0 or start + size > base_length:
                raise Refused("a match of a patch leads outside")
            found.append((literals, start, size))
            made += size
            expected = start + size
        return found

    @staticmethod
    def matches(pieces):
        """Each match as (place in the content, place in the base, length)."""
        found, at = [], 0
        for literals, start, size in pieces:
            found += [(at + literals, start, size)] if size else []
            at += literals + size
        return found

    def added(self, made, base, end, following, count):
        if isinstance(self.literals, Literals):
            return self.literals.after(made, base, end, following, count)
        return self.literals.take(count)

    def value(self, gap, following, base, behind):
        if isinstance(self.values, Values):
            return self.values.value(gap, following, base, behind)
        return self.values.byte()
