"""Patch streams (FORMAT.md, section 4): a content from another one."""

from package.faults import Refused

LEAST_MATCH = 16


class Patches:
    """The four streams that the patches of a layer share."""

    def __init__(self, control, gaps, values, literals):
        self.control, self.gaps, self.values, self.literals = control, gaps, values, literals

    def made(self, base, length, predict=None):
        """The next content, of `length` bytes. `predict` makes of the base and the matches the bytes that are copied."""
        matches, target = self.matches(len(base), length)
        if predict:
            base = predict(base, matches)
        copied = bytearray().join(base[start : start + size] for _, start, size in matches)
        self.correct(copied)
        at = 0
        for place, _, size in matches:
            target[place : place + size] = copied[at : at + size]
            at += size
        return bytes(target)

    def matches(self, base_length, length):
        """The matches, each (place in the content, place in the base, length), and the content with literals only."""
        found, target, expected = [], bytearray(), 0
        while len(target) < length:
            literals = self.control.number()
            if literals > length - len(target):
                raise Refused("a patch has more literals than its content")
            target += self.literals.take(literals)
            if len(target) == length:
                break
            size = self.control.number() + LEAST_MATCH
            start = expected + literals + self.control.signed()
            if size > length - len(target) or start < 0 or start + size > base_length:
                raise Refused("a match of a patch leads outside")
            found.append((len(target), start, size))
            target += bytes(size)
            expected = start + size
        return found, target

    def correct(self, copied):
        """Adds the differences to the bytes of all matches."""
        at = -1
        while gap := self.gaps.number():
            at += gap
            if at >= len(copied):
                raise Refused("a difference of a patch is behind its matches")
            copied[at] = (copied[at] + self.values.byte()) & 0xFF
