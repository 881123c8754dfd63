"""Mixed streams (FORMAT.md, sections 19.1 and 19.2)."""

from package.cursor import Cursor
from package.faults import Refused

from .bits import Predictor
from .contexts import CODE, NUMBERS, TEXT, VALUES
from .decoder import Decoder
from .guided import Literals, Values

SEGMENTS, PLAIN_BYTES, GROWTH = 16, 8388608, 256
MODELS = 4
GUIDED = [("values", VALUES), ("literals", TEXT), ("literals", CODE)]
WORD = (1 << 32) - 1


def unmixed(data, most):
    """The plain bytes of all segments in `data`, which must not be more than `most`; none is guided."""
    plain, guided = unmixed_with_guided(data, most)
    if guided:
        raise Refused("a mixed segment is guided, which only a recipe's can be")
    return plain


def unmixed_with_guided(data, most):
    """The plain bytes of segments, and the streams that are guided by their names."""
    cursor = Cursor(data, "what is mixed")
    count = number(cursor)
    if count > SEGMENTS:
        raise Refused(f"{count} segments are mixed")
    heads = [(number(cursor), number(cursor), number(cursor)) for _ in range(count)]
    plain = sum(length for _, length, _ in heads)
    if any(model >= MODELS + len(GUIDED) for model, _, _ in heads):
        raise Refused("a mixed segment has an unknown model")
    if plain > min(most, PLAIN_BYTES, GROWTH * len(data)):
        raise Refused(f"{plain} bytes are mixed, more than may be")
    if sum(size for _, _, size in heads) != len(data) - cursor.at:
        raise Refused("the head of what is mixed is damaged")
    parts, before, guided = [], (None, b""), {}
    for model, length, size in heads:
        if model >= MODELS:
            stream, kind = GUIDED[model - MODELS]
            if stream in guided:
                raise Refused(f"the stream `{stream}` is guided twice")
            guided[stream] = (Values if kind == VALUES else Literals)(kind, length, cursor.take(size))
            continue
        if guided:
            raise Refused("a segment follows one that is guided")
        beside = numbers_beside(before[1]) if (model, before[0]) == (VALUES, NUMBERS) else []
        parts.append(segment(Predictor(model, length, beside), length, cursor.take(size)))
        before = model, parts[-1]
    return b"".join(parts), guided


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
    decoder = Decoder(predictor, coded)
    return bytes(decoder.byte() for _ in range(length))
