"""Which deflate streams a content holds (FORMAT.md, section 9.1)."""

import zlib

from . import zip
from .deflate import Stream, counted, inflated

PNG = b"\x89PNG\r\n\x1a\n"
NAME_BYTES = 65536
IDAT_CHUNKS = 65536


def looks_like_one(data):
    """Whether a content starts or ends like one that holds streams."""
    return data.startswith((b"\x1f\x8b\x08", b"PK\3\4", PNG)) or data[-22:-18] == b"PK\5\6" or is_zlib(data)


def streams(data, allowance):
    """The streams of a content, in their order."""
    if data.startswith(b"\x1f\x8b\x08"):
        return gzip_members(data, allowance)
    if data.startswith(b"PK\3\4") or data[-22:-18] == b"PK\5\6":
        return zip.streams(data, allowance)
    if data.startswith(PNG):
        return png(data, allowance)
    if is_zlib(data):
        stream = counted(data, 2, allowance, len(data) - 4)
        return [stream] if stream else []
    return []


def is_zlib(data):
    """Whether a zlib stream without a dictionary starts here (RFC 1950)."""
    return len(data) >= 2 and data[0] & 15 == 8 and data[0] >> 4 <= 7 and not data[1] & 32 and not (data[0] << 8 | data[1]) % 31


def gzip_members(data, allowance):
    found, at = [], 0
    while (start := gzip_header_end(data, at)) is not None:
        made = inflated(data, start, allowance)
        if made is None:
            break
        plain, end = made
        stream = counted(data, start, allowance)
        if stream:
            found.append(stream)
        if data[end : end + 8] != trailer(plain):
            break
        at = end + 8
    return found


def trailer(plain):
    """What follows the stream of a gzip member."""
    return zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")


def gzip_header_end(data, at):
    """Where the stream of the gzip member at `at` starts (RFC 1952, 2.3), or nothing."""
    if data[at : at + 3] != b"\x1f\x8b\x08" or len(data) < at + 10 or data[at + 3] & 0xE0:
        return None
    flags, at = data[at + 3], at + 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            end = data.find(b"\0", at, at + NAME_BYTES + 1)
            if end < 0:
                return None
            at = end + 1
    at += 2 if flags & 2 else 0
    return at if at <= len(data) else None


def png(data, allowance):
    """The stream in the IDAT chunks of a PNG."""
    chunks, at = [], len(PNG)
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            break
        if name == b"IDAT":
            if zlib.crc32(data[at + 4 : end - 4]).to_bytes(4, "big") != data[end - 4 : end]:
                return []
            chunks.append((at, data[at + 8 : end - 4]))
        elif chunks:
            break
        at = end
    if not 1 <= len(chunks) <= IDAT_CHUNKS:
        return []
    whole = b"".join(part for _, part in chunks)
    if not is_zlib(whole):
        return []
    stream = counted(whole, 2, allowance, len(whole) - 4)
    return [Stream(chunks[0][0], at, stream.plain)] if stream else []
