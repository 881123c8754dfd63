"""The fields of metadata.json (FORMAT.md, section 3) and of what is in them; a field that is not here is refused."""

import re

from .faults import Refused

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def text(value, where):
    if not isinstance(value, str):
        raise Refused(f"{where} is no text")


def number(value, where):
    if type(value) is not int or not 0 <= value < 2**64:
        raise Refused(f"{where} is no number")


def integer(value, where):
    if type(value) is not int:
        raise Refused(f"{where} is no number")


def flag(value, where):
    if type(value) is not bool:
        raise Refused(f"{where} is neither true nor false")


def digest(value, where):
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise Refused(f"{where} is no digest")


def digits(value, where):
    if not isinstance(value, str) or not re.fullmatch("([0-9a-f]{2})*", value):
        raise Refused(f"{where} is not of hexadecimal digits")


def one_of(*words):
    def check(value, where):
        if value not in words:
            raise Refused(f"{where} is none of {', '.join(map(str, words))}")
    return check


def each(check):
    def check_all(values, where):
        if not isinstance(values, list):
            raise Refused(f"{where} is no list")
        for index, value in enumerate(values):
            check(value, f"{where}/{index}")
    return check_all


def record(optional=(), **fields):
    """An object that has all `fields`, but perhaps not those in `optional`, and no others."""
    def check(value, where):
        if not isinstance(value, dict):
            raise Refused(f"{where} is no object")
        for name in value.keys() - fields.keys():
            raise Refused(f"{where} has the unknown field `{name}`")
        for name in fields.keys() - value.keys() - set(optional):
            raise Refused(f"{where} lacks the field `{name}`")
        for name, part in value.items():
            fields[name](part, f"{where}/{name}")
    return check


def layer_of_base(value, where):
    return number(value, where) if type(value) is int else layer_of_manifest(value, where)


def layer_of_manifest(value, where):
    if isinstance(value, str):
        return digest(value, where)
    return record(diff_id=digest, blob=digest)(value, where)


PLATFORM = record(optional=["variant"], os=text, architecture=text, variant=text)
MANIFEST = record(
    optional=["platform", "layers"],
    digest=digest,
    config=digest,
    kind=one_of("image", "attestation"),
    platform=PLATFORM,
    layers=each(layer_of_manifest),
)
ROOT = record(media_type=text, digest=digest, size=number, synthesised=flag)
IMAGE = record(names=each(text), root=ROOT, documents=each(digest), manifests=each(MANIFEST))
BASE = record(names=each(text), root=digest, configs=each(digest), layers=each(layer_of_base))
CODED = record(
    optional=["bases", "recompressed"], codec=text, bases=each(digest), members=each(text), recompressed=number
)
LAYER = record(optional=["size", "origin"], diff_id=digest, size=number, origin=record(coded=CODED))
RECREATED = record(optional=["plan", "member"], encoder=text, plan=text, member=text)
BLOB = record(
    optional=["member", "recreated", "nearest", "whole"],
    digest=digest,
    size=number,
    compression=one_of("gzip", "zstd"),
    member=text,
    recreated=RECREATED,
    nearest=record(encoder=text, differs_at=number),
    whole=one_of("smallest", "asked"),
)
MODIFIED = record(seconds=integer, nanoseconds=number)
ATTRIBUTE = record(name=digits, value=digits)
FILE = record(
    optional=["attributes"], mode=number, uid=number, gid=number, modified=MODIFIED, attributes=each(ATTRIBUTE)
)
STREAM = record(
    optional=["file"], kind=one_of("file", "tree"), target=digest, base=digest, base_size=number, file=FILE
)
METADATA = record(
    optional=["images", "layout_index", "stream", "blobs"],
    format=one_of(1),
    requires=each(text),
    created_by=text,
    method=one_of("auto", "xdelta3", "bsdiff", "layer"),
    identity=one_of("manifest", "config"),
    compression=one_of("zstd", "gzip", "bzip2", "xz", "none"),
    level=integer,
    images=each(IMAGE),
    layout_index=digest,
    stream=STREAM,
    bases=each(BASE),
    layers=each(LAYER),
    blobs=each(BLOB),
    members=each(record(name=text, size=number, digest=digest)),
)
