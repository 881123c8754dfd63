"""Writes a layer to standard output: `layers.py KIND VERSION`. Version 2 of each kind is what a package makes of version 1."""

import io
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

MACHINES = {
    "x86-64": ["gcc"],
    "debug": ["gcc", "-g"],
    "fixed": ["gcc", "-no-pie", "-fno-pic"],
    "i386": ["gcc", "-m32"],
    "aarch64": ["aarch64-linux-gnu-gcc"],
}


def noise(seed, length):
    return random.Random(seed).randbytes(length)


def text(seed, lines):
    numbers = random.Random(seed)
    return b"".join(b"%d: %d %d\n" % (line, numbers.randrange(999), line * 7919 % 1013) for line in range(lines))


def edited(data, version):
    """The data with a note of the version in its middle."""
    return data[: len(data) // 2] + b"this is version %d\n" % version * version + data[len(data) // 2 :]


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as writer:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            writer.addfile(member, io.BytesIO(content))
    return out.getvalue()


# Headers that differ in every field, in the ways that old and odd writers have.

FIELDS = {
    "mode": (100, 8), "user": (108, 8), "group": (116, 8), "size": (124, 12), "time": (136, 12), "type": (156, 1),
    "link": (157, 100), "magic": (257, 8), "user name": (265, 32), "group name": (297, 32), "major": (329, 8),
    "minor": (337, 8), "prefix": (345, 155), "rest": (500, 12),
}


def entry(name, content, padding=b"\0", checksum=b"%06o\0 ", **fields):
    header = bytearray(512)
    header[: len(name)] = name
    standard = {"mode": b"0000644\0", "size": b"%011o\0" % len(content), "time": b"14000000000\0", "type": b"0",
                "magic": b"ustar\x0000", "user": b"0000000\0", "group": b"0000000\0"}
    for field, value in {**standard, **{key.replace("_", " "): value for key, value in fields.items()}}.items():
        at, length = FIELDS[field]
        header[at : at + length] = value.ljust(length, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = checksum % sum(header)
    return bytes(header) + content + padding * (-len(content) % 512)


def headers(version):
    v = version - 1
    blank = {"mode": b"%07o " % (0o644 + v), "size": b"%011o " % (40 + v), "time": b"%011o " % (1_000_000 + 77 * v),
             "user": b"%07o " % (1000 + v), "group": b"%07o " % (100 + v)}
    same = entry(b"same", noise(1, 300))
    parts = [
        entry(b"blank-ended", noise(2, 40 + v), checksum=b"%07o ", **blank),
        entry(b"blanks-before", noise(3, 50), mode=b"   %3o \0" % (0o644 + v), user=b"%6o \0" % (5 + v)),
        entry(b"nul-ended-size", noise(4, 60 + 9 * v), size=b"%11o\0" % (60 + 9 * v)),
        same,
        entry(b"binary-size", noise(5, 70 + v), size=b"\x80" + (70 + v).to_bytes(11, "big")),
        entry(b"names", noise(6, 20), user_name=b"root" if v else b"daemon", group_name=b"wheel" if v else b"bin"),
        entry(b"name-%d" % version, noise(7, 80), prefix=b"a/folder/%d" % version),
        entry(b"link", b"", type=b"2", link=b"to/version-%d" % version),
        entry(b"device", b"", type=b"3", major=b"%07o\0" % (4 + v), minor=b"%07o\0" % (64 + v)),
        entry(b"type", b"", type=b"5" if v else b"1", link=b"" if v else b"same"),
        entry(b"magic", noise(8, 90), magic=b"ustar  \0" if v else b"ustar\x0000", rest=b"odd" if v else b""),
        entry(b"seven-digits", noise(9, 100 + v), checksum=b"%07o\0"),
        entry(b"odd-checksum", noise(10, 110 + v), checksum=b"%6o\0 "),
        entry(b"odd-padding", noise(11, 120 + v), padding=b"." if v else b"\0"),
        entry(b"size-of-a-link", b"", type=b"2", size=b"%011o\0" % (33 + v), link=b"same"),
        entry(b"pax", b"30 mtime=1700000000.123456789\n%d uname=somebody\n" % 17, type=b"x", time=b"%011o\0" % (9 + v)),
        entry(b"behind-pax", noise(12, 130 + v)),
        entry(b"pax", b"12 size=700\n", type=b"x"),
        entry(b"sized-by-pax", noise(13, 700), size=b"%011o\0" % 0),
        entry(b"././@LongLink", b"n" * (150 + v) + b"\0", type=b"L"),
        entry(b"n" * 100, noise(14, 30)),
        sparse(v),
        noise(16, 1024 + 512 * v).replace(b"\0", b"\1"),
    ]
    parts += [entry(b"folder-%d" % number, b"", type=b"5", time=b"%011o\0" % (1_700_000_000 + 7919 * number * v))
              for number in range(100)]
    if v:
        parts.insert(4, entry(b"added-behind-a-copied-one", noise(17, 200)))
    return b"".join(parts) + bytes(1024)


def sparse(v):
    """A GNU sparse file with two blocks of spans behind its header (`isextended`)."""
    whole = bytearray(entry(b"sparse", bytes(504) + b"\1" + bytes(7) + bytes(512) + noise(15, 64), type=b"S",
                            size=b"%011o\0" % 64, time=b"%011o\0" % (5 + v)))
    whole[482] = 1
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    return bytes(whole)


# Contents that are new, of many kinds, and streams too long to stand in the recipe's own member.

def streams(version):
    names = [f"{number}.kind{number}" for number in range(300)]
    files = {"kept": noise(20, 2000)}
    if version == 2:
        files |= {name: noise(100 + number, 60) for number, name in enumerate(names)}
        files |= {"large": noise(21, 20_000), "again": noise(21, 20_000)}
    return archive(files)


# Compressed contents, all by the zlib that Python has.

def deflated(data, level, strategy=0, memory=8):
    machine = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
    return machine.compress(data) + machine.flush()


def gzip_member(data, level, name=b""):
    head = b"\x1f\x8b\x08" + (b"\x08" if name else b"\0") + bytes(4) + b"\0\3" + (name + b"\0" if name else b"")
    return head + deflated(data, level) + struct.pack("<II", zlib.crc32(data), len(data))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(data, level):
    stream = zlib.compress(data, level)
    parts = [stream[at : at + 900] for at in range(0, len(stream), 900)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunk(b"IDAT", part) for part in parts) + chunk(b"IEND", b"")


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as writer:
        for name, content in files.items():
            kind = zipfile.ZIP_STORED if name.endswith(".jar") else method
            writer.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, kind)
    return out.getvalue()


def opened(version):
    def notes(seed):
        return edited(text(seed, 500), version)

    return archive({
        "one.gz": gzip_member(notes(1), 6, b"one"),
        "two.gz": gzip_member(notes(2), 9) + gzip_member(text(3, 300), 1),
        "behind.gz": gzip_member(notes(4), 6)[:-8] + b"no trailer",
        "plain.z": zlib.compress(notes(5), 9),
        "picture.png": png(notes(6), 6),
        "some.zip": zipped({"a.txt": notes(7), "b.txt": text(8, 400), "c.txt": notes(9)}),
        "prefixed.zip": b"#!/bin/sh\n" + zipped({"d.txt": notes(10)}),
    })


def nested(version):
    inner = zipped({"inner.txt": edited(text(11, 400), version), "same.txt": text(12, 300)})
    deep = b"deep " * 40 + edited(text(13, 300), version)
    for _ in range(5):
        deep = gzip_member(deep, 6)
    return archive({
        "stored.zip": zipped({"lib.jar": inner, "more.txt": text(14, 200)}),
        "packed.zip": zipped({"lib.gz": gzip_member(edited(text(15, 500), version), 6)}),
        "deep.gz": deep,
    })


# Programs, by the compilers that are installed.

def source(version, padding=0):
    lines = ["#include <stdio.h>", "static int seen[256]; static const char *names[12]; int *first = &seen[1];"]
    for number in range(24):
        lines.append(f"__attribute__((noinline)) int f{number}(int a, int b) {{")
        if number:
            lines.append(f"a += f{number - 1}(b, a >> 1); names[{number % 12}] = \"name {number}\"; seen[b & 255] ^= a;")
            lines.append(f"switch (b % 6) {{ case 0: a = f{number // 2}(a, b); break; case 1: b += 9; break; case 2: seen[7]--;"
                         " break; case 3: a -= b; break; case 4: return a; case 5: b = -a; }")
            lines.append(f"if (a > {number * 100}) puts(\"text {number}\"); else b ^= *first;")
        if number == 9 and version == 2:
            lines += [f"seen[(b + {step}) & 255] ^= a * {step} + b;" for step in range(9)]
        lines.append("return a - b; }")
    if padding:
        lines.append(f"asm(\".section .rodata\\n.zero {padding}\\n.text\");")
    return "\n".join([*lines, "int main(int c, char **v) { return f23(c, 5) + (names[c] != 0) + (v != 0); }\n"])


def program(machine, version, padding=0):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "program.c").write_text(source(version, padding))
        options = ["-O1", "-Wl,-z,max-page-size=4096", "-Wl,--build-id=none",
                   f"-ffile-prefix-map={folder}=.", "-o", "program", "program.c"]
        subprocess.run([*MACHINES[machine], *options], cwd=folder, check=True)
        return archive({"program": (Path(folder) / "program").read_bytes()})


def large(version):
    """A program beyond what `exec-1` predicts."""
    return program("x86-64", version, 49 << 20)


def go_source(version):
    lines = ["package main", "var seen [256]int"]
    for number in range(24):
        lines += ["//go:noinline", f"func f{number}(a, b int) int {{"]
        if number:
            lines.append(f"a += f{number - 1}(b, a>>1); seen[b&255] ^= a; if a > {number * 100} {{ println(\"text {number}\") }}")
        if number == 9 and version == 2:
            lines += [f"seen[(b+{step})&255] ^= a*{step} + b" for step in range(9)]
        lines.append("return a - b }")
    return "\n".join([*lines, "func main() { println(f23(len(seen), 5)) }\n"])


def go(version):
    """A program by Go's compiler, with the tables of its functions."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "program.go").write_text(go_source(version))
        subprocess.run(["go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", "program", "program.go"], cwd=folder,
                       env={**os.environ, "GOOS": "linux", "GOARCH": "amd64", "GOAMD64": "v1", "CGO_ENABLED": "0", "GO111MODULE": "off"},
                       check=True)
        return archive({"program": (Path(folder) / "program").read_bytes()})


KINDS = {"large": large, "go": go, "headers": headers, "streams": streams, "opened": opened, "nested": nested}


def main(kind, version):
    layer = program(kind, int(version)) if kind in MACHINES else KINDS[kind](int(version))
    sys.stdout.buffer.write(layer)


if __name__ == "__main__":
    main(*sys.argv[1:])
