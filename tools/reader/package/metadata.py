"""What metadata.json says (FORMAT.md, sections 2, 3 and 5), believed only when it is true of itself."""

import re

from . import fields, implied, packed
from .faults import Refused
from .text import json_object, refuse_control_characters

FORMAT = 1
CODECS = {"recipe": ".recipe", "whole": ".tar", "vcdiff": ".vcdiff", "bsdiff": ".bsdiff"}
ENCODERS = {"gzip-zlib-1", "gzip-pigz-1", "gzip-go-1", "gzip-go-2", "gzip-modern-1", "gzip-modern-2", "gzip-gnu-1", "zstd-klauspost-1", "zstd-klauspost-2", "zstd-libzstd-1"}
FEATURES = {*CODECS, "implied-1", "unmeasured-1", "layout-index-1", "deflate-1", "deflate-2", "exec-1", "exec-2", "mix-1", "mix-2", "documents-1", *ENCODERS}
LAYER_BYTES = 1 << 40
LIMITS = {"layers": 16384, "blobs": 16384, "members": 131072, "images": 4096}
LAYERS_OF_MANIFEST = 4096


def parse(data, members):
    """The metadata, of which every claim about itself was checked, with what the documents among `members` say."""
    metadata = json_object(data, "metadata.json")
    if metadata.get("format") != FORMAT:
        raise Refused(f"the package has format version {metadata.get('format')}; this program reads version {FORMAT}")
    required = metadata.get("requires")
    fields.each(fields.text)(required, "requires")
    for feature in required:
        if feature not in FEATURES:
            raise Refused(f"the package requires the feature `{feature}`, which this program lacks")
    fields.METADATA(metadata, "")
    refuse_control_characters(metadata)
    implied.complete(metadata, packed.with_documents(metadata, members))
    check_limits(metadata)
    check_lists(metadata)
    check_layers(metadata)
    check_blobs(metadata)
    check_images(metadata)
    return metadata


def check_limits(metadata):
    for name, most in LIMITS.items():
        if len(metadata.get(name, [])) > most:
            raise Refused(f"there are more than {most} {name}")
    for thing in metadata["layers"] + metadata.get("blobs", []):
        if thing.get("size", 0) > LAYER_BYTES:
            raise Refused(f"a layer or blob has more than {LAYER_BYTES} bytes")
    for manifest in manifests(metadata) + metadata["bases"]:
        if len(manifest["layers"]) > LAYERS_OF_MANIFEST:
            raise Refused(f"a manifest has more than {LAYERS_OF_MANIFEST} layers")


def manifests(metadata):
    return [manifest for image in metadata.get("images", []) for manifest in image["manifests"]]


def layers_of_manifests(metadata):
    return [layer for manifest in manifests(metadata) for layer in manifest["layers"]]


def check_lists(metadata):
    """Nothing is listed twice, `requires` is sorted, and there are images or a stream."""
    once(metadata["requires"], "a required feature")
    if metadata["requires"] != sorted(metadata["requires"]):
        raise Refused("`requires` is not sorted")
    once([member["name"] for member in metadata["members"]], "a member")
    once([layer["diff_id"] for layer in metadata["layers"]], "a layer")
    once([blob["digest"] for blob in metadata.get("blobs", [])], "a blob")
    if bool(metadata.get("images")) == ("stream" in metadata):
        raise Refused("it brings neither images nor a stream, or both")


def once(values, what):
    if len(set(values)) < len(values):
        raise Refused(f"{what} is listed twice")


def pair(layer):
    """The diff ID and the digest of the blob of a layer that a manifest names."""
    return (layer, layer) if isinstance(layer, str) else (layer["diff_id"], layer["blob"])


def held(metadata):
    """The diff IDs and blobs that bases have."""
    pairs = [pair(layer) for base in metadata["bases"] for layer in base["layers"]]
    stream = [metadata["stream"]["base"]] if "stream" in metadata else []
    return {diff_id for diff_id, _ in pairs} | set(stream), {blob for _, blob in pairs}


def coded(layer):
    return layer.get("origin", {}).get("coded")


def check_layers(metadata):
    known, members = held(metadata)[0], {member["name"] for member in metadata["members"]}
    for layer in metadata["layers"]:
        how = coded(layer)
        if "size" not in layer and (how is not None or "unmeasured-1" not in metadata["requires"]):
            raise Refused(f"the layer {layer['diff_id']} has no size")
        if how is None:
            if layer["diff_id"] not in known:
                raise Refused(f"no base has the layer {layer['diff_id']}")
            continue
        check_coding(how, metadata["requires"], members)
        for base in how.get("bases", []):
            if base not in known:
                raise Refused(f"{layer['diff_id']} is against {base}, neither of a base nor listed before it")
        known.add(layer["diff_id"])


def check_coding(how, requires, members):
    codec, bases = how["codec"], how.get("bases", [])
    if codec not in CODECS or codec not in requires:
        raise Refused(f"it does not require `{codec}`")
    if not 1 <= len(how["members"]) <= (6 if codec == "recipe" else 1):
        raise Refused(f"a layer has {len(how['members'])} members, which `{codec}` has not")
    for member in how["members"]:
        if member not in members:
            raise Refused(f"there is no member {member}")
    if codec == "whole" and bases:
        raise Refused("a whole layer has bases")
    once(bases, "a base of a layer")
    once(how["members"], "a member of a layer")


def check_blobs(metadata):
    has, members = held(metadata)[1], {member["name"]: member for member in metadata["members"]}
    for blob in metadata.get("blobs", []):
        if "nearest" in blob and "member" not in blob:
            raise Refused(f"the blob {blob['digest']} is no member, but an encoder came near to it")
        if "whole" in blob and ("member" not in blob or "nearest" in blob):
            raise Refused(f"the blob {blob['digest']} is said to be whole for a reason that it cannot have")
        if "recreated" in blob:
            check_recreated(blob, members)
            continue
        if "member" not in blob:
            if blob["digest"] not in has:
                raise Refused(f"no base has the blob {blob['digest']}")
            continue
        member = members.get(blob["member"])
        if member is None:
            raise Refused(f"there is no member {blob['member']}")
        if (member["digest"], member["size"]) != (blob["digest"], blob["size"]):
            raise Refused(f"the member {blob['member']} is not the blob {blob['digest']}")


def check_recreated(blob, members):
    how = blob["recreated"]
    if "member" in blob:
        raise Refused(f"the blob {blob['digest']} is a member and made again")
    if ("plan" in how) == ("member" in how):
        raise Refused(f"the blob {blob['digest']} has no plan, or two")
    if "member" in how and how["member"] not in members:
        raise Refused(f"there is no member {how['member']}")
    if not re.fullmatch("([0-9a-f]{2})*", how.get("plan", "")):
        raise Refused(f"the plan of the blob {blob['digest']} has other characters than hexadecimal digits")


def check_images(metadata):
    layers = {layer["diff_id"] for layer in metadata["layers"]}
    blobs = {blob["digest"] for blob in metadata.get("blobs", [])}
    members = {member["name"]: member["digest"] for member in metadata["members"]}
    for image in metadata.get("images", []):
        once(image["documents"], "a document")
        for document in image["documents"]:
            if not has_document(metadata, members, document):
                raise Refused(f"there is no member that is the document {document}")
        named = [image["root"]["digest"]]
        for manifest in image["manifests"]:
            named += [manifest["digest"], manifest["config"]]
            for diff_id, blob in map(pair, manifest["layers"]):
                if diff_id not in layers or (blob != diff_id and blob not in blobs):
                    raise Refused(f"the layer {diff_id} as {blob} is not listed")
        for document in named:
            if document not in image["documents"]:
                raise Refused(f"the document {document} is not listed")
    check_layout_index(metadata, members)
    check_file(metadata.get("stream", {}))
    if "stream" in metadata and list(layers) != [metadata["stream"]["target"]]:
        raise Refused("the one layer of a stream must be its target")


def has_document(metadata, members, document):
    """Whether a document is a member; those of section 20 are looked for when they are read."""
    return packed.FEATURE in metadata["requires"] or members.get("blobs/sha256/" + document[7:]) == document


def check_layout_index(metadata, members):
    index = metadata.get("layout_index")
    if index is None:
        return
    if "layout-index-1" not in metadata["requires"] or not metadata.get("images"):
        raise Refused("there is an index of a layout, which is not required, or of no images")
    if not has_document(metadata, members, index):
        raise Refused(f"there is no member that is the document {index}")


def check_file(stream):
    """What is said of a file is only said of one, and could be so."""
    if "file" not in stream:
        return
    file = stream["file"]
    names = [attribute["name"] for attribute in file.get("attributes", [])]
    if stream["kind"] != "file" or file["mode"] > 0o7777 or file["modified"]["nanoseconds"] >= 10**9:
        raise Refused("what is said of the file cannot be")
    once(names, "an attribute")
    if names != sorted(names):
        raise Refused("the attributes are not sorted")
