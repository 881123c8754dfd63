"""What metadata.json leaves out because the documents say it (FORMAT.md, section 3, "What the documents say")."""

from .faults import Refused
from .text import json_object

IMPLIED_LAYERS = 131072
COMPRESSIONS = ("gzip", "zstd")


def complete(metadata, members):
    """Adds to the metadata the layers and blobs that are left out, where `implied-1` allows it."""
    may_be_short = "implied-1" in metadata["requires"]
    named, listed = [], {blob["digest"] for blob in metadata.get("blobs", [])}
    for manifest in [manifest for image in metadata.get("images", []) for manifest in image["manifests"]]:
        if not manifest.get("layers"):
            pairs = layers(manifest, members) if may_be_short and manifest["kind"] == "image" else []
            for (diff_id, blob) in pairs:
                if blob["digest"] not in {diff_id, *listed}:
                    listed.add(blob["digest"])
                    metadata.setdefault("blobs", []).append(held(blob))
            manifest["layers"] = [one(diff_id, blob["digest"]) for diff_id, blob in pairs]
        named += manifest["layers"]
    if may_be_short and len(named) > IMPLIED_LAYERS:
        raise Refused(f"the manifests name more than {IMPLIED_LAYERS} layers")
    for base in metadata["bases"]:
        base["layers"] = [by_number(layer, named if may_be_short else []) for layer in base["layers"]]


def layers(manifest, members):
    """The diff ID of each layer of a manifest with its descriptor."""
    said, config = (json_object(document(manifest[name], members), "a document") for name in ("digest", "config"))
    try:
        blobs, diff_ids = said["layers"] or [], (config.get("rootfs") or {}).get("diff_ids") or []
        pairs = [(diff_id, {"digest": blob["digest"], "size": blob["size"], "type": blob.get("mediaType", "")})
                 for diff_id, blob in zip(diff_ids, blobs, strict=True)]
    except (KeyError, TypeError, ValueError) as fault:
        raise Refused(f"the manifest {manifest['digest']} and its config do not say its layers") from fault
    return pairs


def document(digest, members):
    if "blobs/sha256/" + digest[7:] not in members:
        raise Refused(f"the document {digest} is not there")
    return members["blobs/sha256/" + digest[7:]]


def held(blob):
    """The entry of a blob that a base has."""
    compression = blob["type"].replace("+", ".").rpartition(".")[2]
    if compression not in COMPRESSIONS:
        raise Refused(f"the blob {blob['digest']} is not listed, and its media type does not say how it is compressed")
    return {"digest": blob["digest"], "size": blob["size"], "compression": compression}


def one(diff_id, blob):
    return diff_id if diff_id == blob else {"diff_id": diff_id, "blob": blob}


def by_number(layer, named):
    """The layer that a base lists, which may be the number of one that a manifest names."""
    if type(layer) is not int:
        return layer
    if layer >= len(named):
        raise Refused(f"a base lists the layer number {layer}; there are {len(named)} such")
    return named[layer]
