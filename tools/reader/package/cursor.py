"""Reading numbers and bytes one behind the other; what leads behind the end is refused."""

from .faults import Refused

WORD = 2**64


class Cursor:
    """A place in some bytes that only moves forward."""

    def __init__(self, data, what):
        self.data, self.at, self.what = memoryview(data), 0, what

    def take(self, length):
        """The next `length` bytes."""
        if length > len(self.data) - self.at:
            raise Refused(f"{self.what} ends early")
        self.at += length
        return bytes(self.data[self.at - length : self.at])

    def rest(self):
        """All bytes that are left."""
        return self.take(len(self.data) - self.at)

    def byte(self):
        return self.take(1)[0]

    def little(self, size):
        """A little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def number(self):
        """A number of section 4: LEB128, below 2^64, in at most ten bytes."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return self._word(value)
        raise Refused(f"{self.what} has a number of more than ten bytes")

    def signed(self):
        """A signed number of section 4."""
        return unfold(self.number())

    def high_first(self):
        """A number of section 9: base 128, the highest digit first (RFC 3284, section 2)."""
        value = 0
        for _ in range(10):
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return self._word(value)
        raise Refused(f"{self.what} has a number of more than ten digits")

    def _word(self, value):
        if value >= WORD:
            raise Refused(f"{self.what} has a number of more than 64 bits")
        return value

    def ended(self):
        return self.at == len(self.data)

    def must_end(self):
        """Refuses bytes that are left over."""
        if not self.ended():
            raise Refused(f"{self.what} has {len(self.data) - self.at} bytes too many")


def unfold(number):
    """The signed number that was written as `2n`, or as `-2n - 1`."""
    return -(number + 1) // 2 if number & 1 else number // 2
