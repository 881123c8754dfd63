"""Decompression with a bound, by zstandard and what Python brings."""

import bz2
import gzip
import io
import lzma
import zlib

import zstandard

from .faults import Refused

MAGIC = {b"\x28\xb5\x2f\xfd": "zst", b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
ZSTD_WINDOW = 128 << 20
FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def told_by_first_bytes(data):
    """The suffix of the compression that `data` starts like, or nothing."""
    return next((suffix for magic, suffix in MAGIC.items() if data.startswith(magic)), "")


def opened(data, suffix):
    """A stream of what is in `data`, which is compressed as `suffix` says."""
    raw = io.BytesIO(data)
    if suffix == "zst":
        return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).stream_reader(raw, read_across_frames=True)
    readers = {"": lambda: raw, "gz": lambda: gzip.GzipFile(fileobj=raw), "bz2": lambda: bz2.BZ2File(raw)}
    if suffix == "xz":
        return lzma.LZMAFile(raw)
    if suffix not in readers:
        raise Refused(f"the compression `{suffix}` is not known")
    return readers[suffix]()


def read(stream, length):
    """At most `length` bytes of what is left of a stream."""
    parts = []
    while length:
        try:
            part = stream.read(min(length, 1 << 20))
        except FAULTS as fault:
            raise Refused(f"what is compressed is damaged: {fault}") from fault
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def decompressed(data, suffix, most):
    """What is in `data`, which must not have more than `most` bytes."""
    plain = read(opened(data, suffix), most + 1)
    if len(plain) > most:
        raise Refused(f"more than {most} bytes come out of what is compressed")
    return plain
