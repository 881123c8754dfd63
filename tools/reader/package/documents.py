"""Whether the documents of an image say what metadata.json says of them (FORMAT.md, sections 3 and 6)."""

from .faults import Refused
from .metadata import pair
from .text import json_object

DOCUMENT_BYTES = 8388608


def check(image, documents):
    """Compares an image of the metadata with its documents, which are given by digest."""
    for digest, data in documents.items():
        if len(data) > DOCUMENT_BYTES:
            raise Refused(f"the document {digest} is too large")
    if len(documents[image["root"]["digest"]]) != image["root"]["size"]:
        raise Refused("the root has another size")
    for manifest in image["manifests"]:
        check_manifest(manifest, documents)


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
