"""What stood before a byte (FORMAT.md, section 19.4)."""

TEXT, CODE, NUMBERS, VALUES = range(4)
WORD = (1 << 32) - 1


def spread(one, other):
    """The document's hash(a, b)."""
    number = (0x2F0B4C47 * one + 0x9E3779B1 * other + 0x7FEB352D) & WORD
    number = (number ^ number >> 15) * 0x846CA68B & WORD
    return number ^ number >> 13


def magnitude(number):
    if number < 16:
        return number
    top = number.bit_length() - 1
    return 16 + 2 * (top - 4) + (number >> top - 1 & 1)


class Past:
    """The bytes of a segment so far, and what is known of them."""

    def __init__(self, model, beside):
        self.model, self.beside, self.data = model, beside, bytearray()
        self.word = self.old_word = 0
        self.begun, self.value, self.numbers = 0, 0, [0] * 4
        self.guide = None

    def take(self, byte):
        self.data.append(byte)
        if byte >= 128 or chr(byte).isalnum():
            small = byte | 32 if 65 <= byte <= 90 else byte
            self.word = spread(self.word + small & WORD, 0x01234567)
        elif self.word:
            self.old_word, self.word = self.word, 0
        self.value |= (byte & 0x7F) << 7 * min(self.begun, 8)
        self.begun += 1
        if byte < 0x80:
            self.numbers = [self.value, *self.numbers[:3]]
            self.begun = self.value = 0

    def back(self, distance):
        return self.data[-distance] if distance <= len(self.data) else 0

    def last(self, count):
        return int.from_bytes(self.data[-count:], "big")

    def contexts(self):
        named = {NUMBERS: self.of_numbers, VALUES: self.of_values}.get(self.model, self.of_bytes)()
        return [spread(name, 0x3C6EF372 * (place + 1) & WORD) for place, name in enumerate(named)]

    def hashes(self):
        """h5, h6 and h8."""
        five = spread(self.last(4), self.back(5))
        six = spread(five, self.back(6))
        return five, six, spread(six, self.back(7) | self.back(8) << 8)

    def of_bytes(self):
        five, six, eight = self.hashes()
        b1, b2, b3, b4 = (self.back(distance) for distance in (1, 2, 3, 4))
        own = [spread(self.word, b1), spread(self.word, self.old_word), eight]
        if self.model == CODE:
            own = [spread(b1, b3), b2, b3 | b4 << 8]
        four = self.last(4)
        return [0, b1, self.last(2), self.last(3), four, five, six, b2 | b3 << 8, four & 0xF0F0F0F0, *own]

    def of_numbers(self):
        m1, m2, m3, m4 = map(magnitude, self.numbers)
        n1, n2, n3, _ = (number & WORD for number in self.numbers)
        q = spread(self.begun, self.value & WORD)
        pair, triple = m1 | m2 << 8, m1 | m2 << 8 | m3 << 16
        others = [m1, n1, pair, spread(n1, n2), spread(spread(n1, n2), n3), m2, m3, triple, spread(n2, n3)]
        others += [triple | m4 << 24, spread(m2, n1 + n2 & WORD)]
        return [q, *(spread(q, other) for other in others)]

    def of_values(self):
        at = len(self.data)
        e, f, r1, r2 = self.guide.gaps if self.guide else (self.number(place) for place in (at, at + 1, at - 1, at - 2))
        z = min(e, 6) | min(f, 6) << 3
        y, w = z | min(r1, 6) << 6, spread(e, f)
        b1, four = self.back(1), self.last(4)
        first = [z, spread(b1, z), spread(self.last(2), z), spread(self.last(3), z), spread(four, min(e, 6))]
        named = [
            *first,
            y | min(r2, 6) << 9,
            spread(y, b1),
            spread(self.back(2), z),
            w,
            spread(w, b1),
            spread(self.hashes()[1], 1),
            spread(spread(b1 | self.back(4) << 8, z), 3),
        ]
        if self.guide:
            o, t1, t2 = self.guide.around
            named[3], named[7], named[10], named[11] = o, spread(o, z), o | t1 << 8, o | t1 << 8 | t2 << 16
        return named

    def number(self, place):
        return self.beside[place] if 0 <= place < len(self.beside) else 0
