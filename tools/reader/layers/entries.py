"""The entries of a layer's tar stream (FORMAT.md, section 8.1)."""

from dataclasses import dataclass

BLOCK = 512
PAX_BYTES = 1048576
SPARSE_BLOCKS = 1024
ENTRIES = 1048576


@dataclass
class Entry:
    """Where an entry of `layer` stands; one without a header is opaque."""

    layer: bytes
    start: int
    content: int
    padding: int
    end: int

    @property
    def has_header(self):
        return self.content > self.start or self.start == self.end

    @property
    def header_bytes(self):
        return self.layer[self.start : self.content]

    @property
    def content_bytes(self):
        return self.layer[self.content : self.padding]

    @property
    def whole(self):
        return self.layer[self.start : self.end]


def octal(field):
    """Blanks, octal digits, then a blank, a NUL or the end of the field."""
    digits = field.lstrip(b" ")
    length = next((at for at, byte in enumerate(digits) if byte not in b"01234567"), len(digits))
    if not length or digits[length : length + 1] not in (b"", b" ", b"\0"):
        return None
    return int(digits[:length], 8)


def checksum(header):
    """The sum of a header's bytes, those of its checksum field counted as blanks."""
    return sum(header) - sum(header[148:156]) + 8 * 0x20


def size_field(header):
    field = header[124:136]
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    if not field.strip(b" \0"):
        return 0
    return octal(field)


def content_end(layer, at, pax_size):
    """Where the content of the header at `at` ends, or nothing when there is no header."""
    header = layer[at : at + BLOCK]
    if len(header) < BLOCK or octal(header[148:156]) != checksum(header):
        return None
    kind = header[156:157]
    if pax_size is not None and kind not in (b"x", b"L", b"K"):
        length = pax_size
    else:
        length = 0 if kind in b"123456" else size_field(header)
    if length is None:
        return None
    end = at + BLOCK + sparse_length(layer, at, header) + length
    return end if end <= len(layer) else None


def sparse_length(layer, at, header):
    """How many bytes of sparse spans follow the header."""
    if header[156:157] != b"S" or not header[482]:
        return 0
    for blocks in range(1, SPARSE_BLOCKS + 1):
        more = at + blocks * BLOCK + 504
        if more >= len(layer) or not layer[more]:
            break
    return blocks * BLOCK


def pax_size_of(content, size=None):
    """The length that the last `size` record of a pax entry says, or `size` where it has none."""
    while content:
        length, blank, _ = content[:20].partition(b" ")
        if not blank or not length.isdigit():
            break
        record = content[len(length) + 1 : int(length)]
        if int(length) > len(content) or not record.endswith(b"\n"):
            break
        key, equals, value = record[:-1].partition(b"=")
        if not equals:
            break
        if key == b"size":
            size = int(value) if value.isdigit() and int(value) < 1 << 64 else None
        content = content[int(length) :]
    return size


def entries(layer):
    """All entries of a layer."""
    found, at, pax_size = [], 0, None
    while at < len(layer):
        end = content_end(layer, at, pax_size) if len(found) < ENTRIES - 1 else None
        if end is None:
            end, pax_size = opaque_end(layer, at, len(found)), None
            found.append(Entry(layer, at, at, end, end))
            at = end
            continue
        content, kind = at + BLOCK, layer[at + 156 : at + 157]
        if kind == b"x":
            if end - content <= PAX_BYTES:
                pax_size = pax_size_of(layer[content:end], pax_size)
        elif kind not in (b"L", b"K"):
            pax_size = None
        padded = min(end + -(end - content) % BLOCK, len(layer))
        found.append(Entry(layer, at, content, end, padded))
        at = padded
    return found


def opaque_end(layer, at, number):
    """Where an opaque entry that starts at `at` ends."""
    end = at + BLOCK
    while end < len(layer) and (number >= ENTRIES - 1 or content_end(layer, end, None) is None):
        end += BLOCK
    return min(end, len(layer))
