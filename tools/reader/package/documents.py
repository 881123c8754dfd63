"""Whether the documents of an image say what metadata.json says of them (FORMAT.md, sections 3 and 6)."""

import re

from .faults import Refused
from .metadata import pair
from .text import json_object

DOCUMENT_BYTES = 33554432
# What engines take for a name; anything else is none.
NAME = re.compile(r"([A-Za-z0-9.:\[\]-]+/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:\w[\w.-]{0,127})?", re.ASCII)


def check(image, documents):
    """Compares an image of the metadata with its documents, which are given by digest."""
    for digest, data in documents.items():
        if len(data) > DOCUMENT_BYTES:
            raise Refused(f"the document {digest} is too large")
    if len(documents[image["root"]["digest"]]) != image["root"]["size"]:
        raise Refused("the root has another size")
    for manifest in image["manifests"]:
        check_manifest(manifest, documents)


def check_layout_index(data, images):
    """Compares the index.json of a layout with the images of the metadata."""
    try:
        entries = json_object(data, "the index of the layout")["manifests"]
        listed = [(entry["digest"], entry.get("mediaType") or "", entry.get("annotations") or {}) for entry in entries]
    except (KeyError, TypeError, AttributeError) as fault:
        raise Refused("the index of the layout lists no images") from fault
    for image in images:
        root = image["root"]
        own = [(media_type, annotations) for digest, media_type, annotations in listed if digest == root["digest"]]
        if not own or any(media_type not in ("", root["media_type"]) for media_type, _ in own):
            raise Refused(f"the index of the layout does not list {root['digest']} as what it is")
        for _, annotations in own:
            check_names(annotations, image["names"])


def check_names(annotations, names):
    """What an entry calls an image must be among its names; a tag alone is no name."""
    if not all(isinstance(value, str) for value in annotations.values()):
        raise Refused("an annotation of the index of the layout is no text")
    reference = annotations.get("org.opencontainers.image.ref.name", "")
    name = annotations.get("io.containerd.image.name") or (reference if set(reference) & set(":/") else "")
    if NAME.fullmatch(name) and full(name) not in map(full, names):
        raise Refused(f"the index of the layout calls an image {name}")


def full(name):
    """A name with its registry and tag."""
    first, slash, _ = name.partition("/")
    if not slash:
        name = "docker.io/library/" + name
    elif not (set(first) & set(".:") or first == "localhost"):
        name = "docker.io/" + name
    return name if ":" in name.rpartition("/")[2] else name + ":latest"


def check_manifest(manifest, documents):
    said = json_object(documents[manifest["digest"]], "the manifest")
    pairs = [pair(layer) for layer in manifest["layers"]]
    try:
        config, blobs = said["config"]["digest"], [layer["digest"] for layer in said["layers"]]
    except (KeyError, TypeError) as fault:
        raise Refused("the manifest names no config or layers") from fault
    if config != manifest["config"]:
        raise Refused(f"the manifest {manifest['digest']} names another config")
    if blobs != [blob for _, blob in pairs]:
        raise Refused(f"the manifest {manifest['digest']} names other blobs")
    if manifest["kind"] == "image":
        config = json_object(documents[manifest["config"]], "the config")
        if config.get("rootfs", {}).get("diff_ids") != [diff_id for diff_id, _ in pairs]:
            raise Refused(f"the config {manifest['config']} names other layers")
