#!/usr/bin/env python3
"""Writes the golden tree streams, from FORMAT.md (section 12) alone: `write.py DIR` makes DIR/accept and DIR/reject.

They were written once. What is there is never written anew; new ones get new names.
"""

import pathlib
import sys

SMALL, LARGE = 0o7777777, 0o77777777777


def header(name, kind, *, mode=0o700, uid=0, gid=0, size=0, time=0, link=b"", device=(0, 0), magic=b"ustar\0" b"00", sum_off=0):
    block = bytearray(512)

    def put(at, text):
        block[at : at + len(text)] = text

    def number(at, digits, value):
        put(at, b"%0*o" % (digits, min(value, SMALL if digits == 7 else LARGE)))

    put(0, name[:100])
    for at, value in ((100, mode), (108, uid), (116, gid), (329, device[0]), (337, device[1])):
        number(at, 7, value)
    number(124, 11, size)
    number(136, 11, max(time, 0))
    put(148, b" " * 8)
    put(156, kind)
    put(157, link[:100])
    put(257, magic)
    put(148, b"%06o\0 " % (sum(block) + sum_off))
    return bytes(block)


def filled(data):
    return data + bytes(-len(data) % 512)


def record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + 1
    while length != rest + len(str(length)):
        length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def pax(records):
    data = b"".join(record(key, value) for key, value in records)
    return header(b"PaxHeaders", b"x", mode=0, size=len(data)) + filled(data)


def entry(name, kind, *, content=b"", parts=None, real=None, records=None, ns=None, attributes=(), **facts):
    """An entry in its one form; `records` replaces the pax records that it needs."""
    stored = content
    if parts is not None:
        lines = b"%d\n" % len(parts) + b"".join(b"%d\n%d\n" % (at, len(data)) for at, data in parts)
        stored = filled(lines) + b"".join(data for _, data in parts)
    needed = []
    if len(name) > 100:
        needed.append((b"path", name))
    if len(facts.get("link", b"")) > 100:
        needed.append((b"linkpath", facts["link"]))
    for key in ("uid", "gid"):
        if facts.get(key, 0) > SMALL:
            needed.append((key.encode(), b"%d" % facts[key]))
    time = facts.get("time", 0)
    if ns or time < 0 or time > LARGE:
        # Seconds are rounded down, so that -1.5 is -2 seconds and half a second.
        seconds, nanoseconds = (time, ns or 0) if time >= 0 else divmod(-(time * 10**9 + (ns or 0)), 10**9)
        needed.append((b"mtime", b"%s%d.%09d" % (b"-" if time < 0 else b"", seconds, nanoseconds)))
    if parts is not None:
        needed += [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"%d" % real)]
    needed += [(b"SCHILY.xattr." + key, value) for key, value in attributes]
    records = needed if records is None else records
    return (pax(records) if records else b"") + header(name, kind, size=len(stored), **facts) + filled(stored)


END = bytes(1024)
ROOT = entry(b".", b"5")


def file(name, content=b"", **more):
    return entry(name, b"0", content=content, **more)


def folder(name, **more):
    return entry(name, b"5", **more)


def symbolic(name, link, **more):
    return entry(name, b"2", link=link, **more)


def hard(name, link, **more):
    return entry(name, b"1", link=link, mode=0, **more)


def tree(*entries):
    return b"".join([ROOT, *entries, END])


def everything():
    return b"".join([
        folder(b".", mode=0o1755, uid=12, gid=34, time=1_000_000_000),
        file(b"a file", b"content\n", mode=0o4751, uid=1000, gid=1001, time=1_234_567_890, ns=123456789),
        file(b"bytes \xff\n=%", b"", mode=0o400, time=1),
        entry(b"char", b"3", mode=0o600, device=(259, 70000), time=2),
        entry(b"disk", b"4", mode=0o660, device=(7, 3), time=2),
        folder(b"folder", mode=0o500, time=3),
        file(b"folder/" + b"f" * 200, b"x" * 513, mode=0o644, time=4),
        folder(b"folder/inner", time=5),
        symbolic(b"folder/inner/link", b"../../a file", mode=0o777, time=6),
        symbolic(b"folder/long link", b"../" * 60 + b"x", mode=0o777, time=-86400),
        file(b"large owner", b"1", uid=4_000_000_000, gid=2_097_152, time=7),
        file(b"old", b"2", time=-315_619_200, ns=500_000_000),
        entry(b"pipe", b"6", mode=0o644, time=8),
        hard(b"same as a file", b"a file"),
        hard(b"same as the link", b"folder/inner/link"),
        hard(b"same as the pipe", b"pipe"),
        file(
            b"with attributes",
            b"3",
            time=9,
            attributes=[(b"user.a%3Db%25", b""), (b"user.key", b"\0\xff\nvalue\n"), (b"user.\xff\n", b"x" * 600)],
        ),
        END,
    ])


def holes():
    block = bytes(range(256)) * 16
    return tree(
        entry(b"all hole", b"0", parts=[(1 << 40, b"")], real=1 << 40, mode=0o600),
        entry(b"at the start", b"0", parts=[(65536, block[:10])], real=65546, mode=0o600),
        entry(b"in the middle", b"0", parts=[(1 << 20, block), (3 << 20, b"")], real=3 << 20, mode=0o600),
    )


def base():
    zero = dict(mode=0)
    return b"".join([
        folder(b".", **zero),
        file(b"file", b"content", **zero),
        folder(b"folder", **zero),
        symbolic(b"folder/link", b"../file", **zero),
        END,
    ])


ACCEPT = {
    "empty": tree(),
    "everything": everything(),
    "holes": holes(),
    "order": tree(folder(b"a"), file(b"a/b", b"1"), file(b"a-b", b"2"), file(b"a.b", b"3"), file(b"ab", b"4")),
    "base": base(),
}


def sparse(lines, data=b"", real=1 << 20):
    stored = filled(lines) + data
    records = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"%d" % real)]
    return tree(file(b"a", stored, records=records))


GOOD = tree(file(b"a", b"x"))
OUTSIDE = b"../outside"

REJECT = {
    "absolute-name": tree(file(b"/tmp/evil", b"x")),
    "attribute-twice": tree(file(b"a", attributes=[(b"user.a", b""), (b"user.a", b"")])),
    "attributes-in-another-order": tree(file(b"a", attributes=[(b"user.b", b""), (b"user.a", b"")])),
    "bytes-behind-the-end": GOOD + bytes(512),
    "bytes-in-the-padding": GOOD[:1024] + b"xy" + GOOD[1026:],
    "checksum": ROOT + header(b"a", b"0", sum_off=1) + END,
    "comes-twice": tree(file(b"a", b"1"), file(b"a", b"2")),
    "cut-in-a-content": GOOD[:1025],
    "cut-in-a-header": GOOD[:700],
    "cut-in-the-end": GOOD[:-512],
    "dot-in-a-name": tree(folder(b"a"), file(b"a/./b", b"x")),
    "dot-dot": tree(folder(b"..")),
    "dot-dot-in-a-name": tree(folder(b"a"), file(b"a/../../outside/evil", b"x")),
    "dot-dot-in-a-long-name": tree(file(b"../outside/" + b"e" * 200, b"x")),
    "empty-name": tree(file(b"", b"x")),
    "empty-part-of-a-name": tree(folder(b"a"), file(b"a//b", b"x")),
    "folder-before-what-is-in-it": tree(file(b"a/b", b"x"), folder(b"a")),
    "gnu-long-name": tree(entry(b"././@LongLink", b"L", content=b"name\0"), file(b"a")),
    "hard-link-forwards": tree(hard(b"a", b"b"), file(b"b", b"x")),
    "hard-link-out": tree(hard(b"a", OUTSIDE + b"/secret")),
    "hard-link-through-a-link": tree(symbolic(b"a", OUTSIDE), hard(b"b", b"a/secret")),
    "hard-link-to-a-folder": tree(folder(b"a"), hard(b"b", b"a")),
    "hard-link-to-nothing": tree(file(b"a"), hard(b"c", b"b")),
    "hard-link-with-a-mode": tree(file(b"a"), entry(b"b", b"1", link=b"a", mode=0o700)),
    "in-a-file": tree(file(b"a", b"x"), file(b"a/b", b"x")),
    "link-out-then-a-file": tree(symbolic(b"a", OUTSIDE), file(b"a/evil", b"x")),
    "link-to-nothing": tree(symbolic(b"a", b"")),
    "link-with-nul": tree(symbolic(b"a", b"l" * 101 + b"\0")),
    "magic": ROOT + header(b"a", b"0", magic=b"ustar  \0") + END,
    "mode": tree(file(b"a", mode=0o10000)),
    "name-with-nul": tree(file(b"n" * 101 + b"\0")),
    "nanoseconds": tree(file(b"a", records=[(b"mtime", b"1.1")], time=1)),
    "no-end": GOOD[:-1024],
    "nothing": b"",
    "other-order": tree(file(b"b"), file(b"a")),
    "record-that-is-not-needed": tree(file(b"a", records=[(b"path", b"a")])),
    "record-unknown": tree(file(b"a", records=[(b"comment", b"a")])),
    "record-without-end": ROOT + header(b"PaxHeaders", b"x", mode=0, size=9) + filled(b"99 path=a") + file(b"a") + END,
    "records-too-many": ROOT + header(b"PaxHeaders", b"x", mode=0, size=(16 << 20) + 1) + bytes(1024) + END,
    "root-is-a-file": file(b".") + END,
    "root-is-missing": file(b"a") + END,
    "root-twice": tree(ROOT),
    "size-beyond-the-stream": ROOT + header(b"a", b"0", size=LARGE) + END,
    "size-of-a-folder": ROOT + header(b"a", b"5", size=512) + bytes(512) + END,
    "sparse-count": sparse(b"70000\n"),
    "sparse-in-another-order": sparse(b"3\n524288\n4096\n0\n4096\n1048576\n0\n", bytes(8192)),
    "sparse-outside": sparse(b"2\n0\n4096\n2097152\n0\n", bytes(4096)),
    "sparse-over-each-other": sparse(b"3\n0\n4096\n2048\n4096\n1048576\n0\n", bytes(8192)),
    "sparse-too-little": sparse(b"2\n0\n4096\n1048576\n0\n", bytes(2048)),
    "sparse-without-an-end": sparse(b"1\n0\n4096\n", bytes(4096)),
    "sparse-words": sparse(b"one\n0\n4096\n", bytes(4096)),
    "type-of-solaris": tree(entry(b"a", b"X")),
    "type-unknown": tree(entry(b"a", b"7")),
    "type-without-one": tree(entry(b"a", b"\0")),
}


def main():
    root = pathlib.Path(sys.argv[1])
    for name, streams in (("accept", ACCEPT), ("reject", REJECT)):
        (root / name).mkdir(parents=True, exist_ok=True)
        for stream, data in streams.items():
            (root / name / f"{stream}.tree").write_bytes(data)


main()
