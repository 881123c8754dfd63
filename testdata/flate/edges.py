"""Rows of edges.tsv for the programs gzip, busybox and pigz: python3 edges.py FOLDER, of the inputs that the example `flate_inputs` wrote.

Each input has a process of its own: what GNU gzip makes of a second file can depend on the first, whose bytes its window still has.
"""

import hashlib
import pathlib
import subprocess
import sys

KINDS = [
    ("gzip", "gzip-1.12", "-", "gzip -n -{level}", range(1, 10)),
    ("busybox", "busybox-1.35.0", "-", "busybox gzip", [6]),
    ("pigz", "pigz-2.6", "32", "pigz -n -p 3 -b 32 -{level}", range(1, 10)),
    ("pigz-serial", "pigz-2.6", "32", "pigz -n -p 1 -b 32 -{level}", range(1, 10)),
    ("pigz-independent", "pigz-2.6", "32", "pigz -n -p 3 -i -b 32 -{level}", range(1, 10)),
    ("pigz-rsyncable", "pigz-2.6", "32", "pigz -n -p 3 -R -b 32 -{level}", range(1, 10)),
]


def inputs(path):
    rest = path.read_bytes()
    while rest:
        length = int.from_bytes(rest[:4], "little")
        yield rest[4 : 4 + length]
        rest = rest[4 + length :]


def streams(plain, command):
    """The streams of a program without their headers and trailers."""
    for content in plain:
        made = subprocess.run(command.split(), input=content, stdout=subprocess.PIPE, check=True).stdout
        assert made[:4] == b"\x1f\x8b\x08\x00", command
        yield made[10:-8]


def fingerprint(made):
    digest = hashlib.sha256()
    for stream in made:
        digest.update(len(stream).to_bytes(4, "little") + stream)
    return digest.hexdigest()[:16]


for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    plain = list(inputs(path))
    for encoder, program, block, command, levels in KINDS:
        # Only what is longer than a block of pigz differs from zlib.
        if block != "-" and max(map(len, plain)) <= 32 << 10:
            continue
        cells = (fingerprint(streams(plain, command.format(level=level))) for level in levels)
        print(encoder, program, block, path.name, *cells, sep="\t")
