"""Layers and their compressed forms by real programs: `blobs.py layer VERSION`, or `blobs.py ENCODER < plain > blob`.

Needs gzip, busybox, pigz, skopeo, Go before 1.27 (for gzip by its own library), klauspost/compress 1.15.12 of Debian 12, and for libzstd the PyPI package zstandard 0.25 (libzstd 1.5.7).
"""

import io
import json
import os
import random
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

GO = """package main
import ("PACKAGE"; "io"; "os"; "strconv")
func main() {
	level, _ := strconv.Atoi(os.Args[1])
	w, err := gzip.NewWriterLevel(os.Stdout, level)
	if err != nil { panic(err) }
	if _, err := io.Copy(w, os.Stdin); err != nil { panic(err) }
	if err := w.Close(); err != nil { panic(err) }
}
"""
KLAUSPOST_ZSTD_BEST = """package main
import ("github.com/klauspost/compress/zstd"; "io"; "os")
func main() {
	w, err := zstd.NewWriter(os.Stdout, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil { panic(err) }
	if _, err := io.Copy(w, os.Stdin); err != nil { panic(err) }
	if err := w.Close(); err != nil { panic(err) }
}
"""
COMMANDS = {"gnu": ["gzip", "-9n"], "busybox": ["busybox", "gzip"], "pigz": ["pigz", "-6n"]}
SKOPEO = {"pgzip": "gzip", "klauspost-zstd": "zstd"}
GO_PACKAGES = {"go": ("compress/gzip", "1"), "go-checkpoints": ("compress/gzip", "6"), "klauspost": ("github.com/klauspost/compress/gzip", "9")}
GO_FOLDERS = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}


def layer(version):
    """2.9 MB of words and noise that come again beyond the window of deflate, and within that of zstd."""
    words = random.Random(7)
    page = b"".join(b"%s\n" % words.randbytes(words.randrange(2, 9)).hex().encode() for _ in range(4_500)) + words.randbytes(20_000)
    pages = [b"page %d of version %d\n%s" % (number, version if number == 20 else 1, page) for number in range(45)]
    # GNU gzip ends blocks here where zlib does not.
    sparse = b"".join(words.randbytes(3) + bytes(200) for _ in range(3_000))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("book", b"".join(pages)), ("sparse", sparse), ("version", b"%d" % version)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def go(package, level, plain, work):
    (work / "encode.go").write_text(GO.replace("PACKAGE", package))
    return subprocess.run(["go", "run", work / "encode.go", level], env={**os.environ, **GO_FOLDERS}, input=plain, stdout=subprocess.PIPE, check=True).stdout


def skopeo(compression, plain, work):
    """The layer as `skopeo copy` stores it in an OCI layout."""
    config = json.dumps({"architecture": "amd64", "os": "linux",
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["app:v2"], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(work / "image.tar", "w") as archive:
        for name, data in (("config.json", config), ("layer.tar", plain), ("manifest.json", manifest)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "--dest-compress-format", compression,
                    f"docker-archive:{work}/image.tar", f"oci:{work}/layout:v2"], check=True)
    blobs = work / "layout/blobs/sha256"
    index = json.loads((work / "layout/index.json").read_bytes())
    manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_bytes())
    return (blobs / manifest["layers"][0]["digest"][7:]).read_bytes()


def klauspost_zstd_best(plain, work):
    (work / "encode.go").write_text(KLAUSPOST_ZSTD_BEST)
    return subprocess.run(["go", "run", work / "encode.go"], env={**os.environ, **GO_FOLDERS}, input=plain, stdout=subprocess.PIPE, check=True).stdout


def libzstd(plain):
    import zstandard
    assert zstandard.ZSTD_VERSION == (1, 5, 7), zstandard.ZSTD_VERSION
    return zstandard.ZstdCompressor(level=3, write_checksum=True, threads=1).compress(plain)


def main(name, version=None):
    if name == "layer":
        return layer(int(version))
    plain = sys.stdin.buffer.read()
    if name == "libzstd":
        return libzstd(plain)
    if name in COMMANDS:
        return subprocess.run(COMMANDS[name], input=plain, stdout=subprocess.PIPE, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if name == "klauspost-zstd-best":
            return klauspost_zstd_best(plain, work)
        return go(*GO_PACKAGES[name], plain, work) if name in GO_PACKAGES else skopeo(SKOPEO[name], plain, work)


sys.stdout.buffer.write(main(*sys.argv[1:]))
