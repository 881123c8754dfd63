"""Mixed streams (FORMAT.md, sections 19.1 and 19.2)."""

from package.cursor import Cursor
from package.faults import Refused

from .bits import Predictor
from .contexts import NUMBERS, VALUES

SEGMENTS, PLAIN_BYTES, GROWTH = 16, 8388608, 256
MODELS = 4
WORD = (1 << 32) - 1


def unmixed(data, most):
    """The plain bytes of all segments in `data`, which must not be more than `most`."""
    cursor = Cursor(data, "what is mixed")
    count = number(cursor)
    if count > SEGMENTS:
        raise Refused(f"{count} segments are mixed")
    heads = [(number(cursor), number(cursor), number(cursor)) for _ in range(count)]
    plain = sum(length for _, length, _ in heads)
    if any(model >= MODELS for model, _, _ in heads):
        raise Refused("a mixed segment has an unknown model")
    if plain > min(most, PLAIN_BYTES, GROWTH * len(data)):
        raise Refused(f"{plain} bytes are mixed, more than may be")
    if sum(size for _, _, size in heads) != len(data) - cursor.at:
        raise Refused("the head of what is mixed is damaged")
    parts, before = [], (None, b"")
    for model, length, size in heads:
        beside = numbers_beside(before[1]) if (model, before[0]) == (VALUES, NUMBERS) else []
        parts.append(segment(Predictor(model, length, beside), length, cursor.take(size)))
        before = model, parts[-1]
    return b"".join(parts)


def number(cursor):
    """A number of at most nine bytes."""
    start = cursor.at
    value = cursor.number()
    if cursor.at - start > 9:
        raise Refused("a number of what is mixed has more than nine bytes")
    return value


def numbers_beside(data):
    """The low 32 bits of the numbers in `data` that are not 0."""
    found, value, place = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << 7 * min(place, 8)
        place += 1
        if byte < 0x80:
            found += [value & WORD] if value else []
            value = place = 0
    return found


def segment(predictor, length, coded):
    """Decodes `length` bytes."""
    low, high, code = 0, WORD, int.from_bytes((coded + bytes(4))[:4], "big")
    at = 4
    for _ in range(8 * length):
        middle = low + ((high - low) * predictor.probability() >> 16)
        bit = int(code <= middle)
        low, high = (low, middle) if bit else (middle + 1, high)
        predictor.learn(bit)
        while (low ^ high) >> 24 == 0:
            low, high = low << 8 & WORD, high << 8 & WORD | 0xFF
            code = code << 8 & WORD | (coded[at] if at < len(coded) else 0)
            at += 1
    return bytes(predictor.past.data)
