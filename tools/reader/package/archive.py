"""The file (FORMAT.md, section 1): a tar archive of which every byte is told."""

import hashlib
import re

from . import compression
from .cursor import Cursor
from .faults import Refused
from .text import json_object

METADATA_BYTES = 67108864
END = bytes(1024)
SIGNATURE = re.compile(r"signatures/[0-9A-F]{16}\.minisig")
SIGNATURE_BYTES = 12288
SIGNATURES = 16


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def header(name, size, prefix=b""):
    """The one header that a member of this name and size has."""
    block = bytearray(512)
    size_field = b"%011o\0" % size if size < 1 << 33 else b"\x80\0\0\0" + size.to_bytes(8, "big")
    for at, field in [(0, name), (100, b"0000444\0"), (108, b"0000000\0"), (116, b"0000000\0"), (124, size_field),
                      (136, b"00000000000\0"), (148, b" " * 8), (156, b"0"), (257, b"ustar\x0000"), (345, prefix)]:
        block[at : at + len(field)] = field
    block[148:156] = b"%07o\0" % sum(block)
    return bytes(block)


def read_header(block):
    """The name and the size that a header says; it is refused when one byte is not as it must be."""
    name, prefix = (block[start:end].rstrip(b"\0") for start, end in ((0, 100), (345, 500)))
    try:
        size = int.from_bytes(block[128:136], "big") if block[124] == 0x80 else int(block[124:135], 8)
        text = (prefix + b"/" + name if prefix else name).decode()
    except ValueError as fault:
        raise Refused("this is no package: a header of a member is not as it must be") from fault
    if header(name, size, prefix) != block or (prefix and len(text.encode()) <= 100):
        raise Refused(f"this is no package: the header of `{text}` has another form")
    return text, size


def padded(size):
    return -(-size // 512) * 512


def members(package):
    """The members of a package by their names, in their order, and the closing, which was compared."""
    cursor, found = Cursor(package, "the package"), {}
    while True:
        start = cursor.at
        name, size = read_header(cursor.take(512))
        data = cursor.take(size)
        if any(cursor.take(padded(size) - size)):
            raise Refused(f"the padding of `{name}` is not of zeros")
        if name in found:
            raise Refused(f"the member `{name}` is there twice")
        if name == "closing.json":
            break
        found[name] = data
    signatures(cursor)
    compare_closing(json_object(data, "closing.json"), package[:start])
    return found


def signatures(cursor):
    """The end of a package (section 16): signatures may stand before the zeros. Only their form is looked at."""
    names = set()
    while (block := cursor.take(512)) != END[:512]:
        name, size = read_header(block)
        if not SIGNATURE.fullmatch(name) or name in names or size > SIGNATURE_BYTES or len(names) == SIGNATURES:
            raise Refused(f"the member `{name}` cannot stand behind closing.json")
        names.add(name)
        if any(cursor.take(padded(size))[size:]):
            raise Refused(f"the padding of `{name}` is not of zeros")
    if cursor.take(512) != END[:512]:
        raise Refused("the package does not end in zeros")
    cursor.must_end()


def compare_closing(closing, before):
    if closing != {"bytes": len(before), "digest": digest(before)}:
        raise Refused("closing.json says otherwise: the package is damaged or incomplete")


def unwrapped(file):
    """The package in a file that may be compressed for a journey; no more of it is decompressed than it says it has."""
    suffix = compression.told_by_first_bytes(file)
    if not suffix:
        return file
    stream = compression.opened(file, suffix)
    start = compression.read(stream, 512)
    _, size = read_header(start.ljust(512, b"\0"))
    if size > METADATA_BYTES:
        raise Refused("metadata.json is too large")
    start += compression.read(stream, padded(size))
    listed = json_object(start[512 : 512 + size], "metadata.json").get("members", [])
    try:
        room = sum(512 + padded(member["size"]) for member in listed)
    except (TypeError, KeyError) as fault:
        raise Refused("metadata.json does not list members") from fault
    package = start + compression.read(stream, room + 512 + 512 + len(END))
    if compression.read(stream, 1):
        raise Refused("more is compressed than metadata.json says that the package has")
    return package
