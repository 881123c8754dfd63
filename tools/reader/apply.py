"""Rebuilding everything that a package brings, from the package and what its bases have."""

from blobs import plan
from layers import bsdiff, vcdiff
from layers.recipe import Recipe
from layers.streams import most_bytes
from mixing.segments import unmixed_with_guided
from package import archive, documents, metadata, packed
from package.archive import digest
from package.compression import MAGIC, decompressed, told_by_first_bytes
from package.faults import Refused

BASE_BYTES = 1 << 32
MIXED, MIX_FEATURE, GUIDED_FEATURE, LARGE_FEATURE = ".mix", "mix-1", "mix-2", "exec-2"


class Bases:
    """Files of the receiver, found by the digest of what they hold, compressed or not."""

    def __init__(self, files):
        self.known = {}
        for data in files:
            self.known[digest(data)] = data
            suffix = told_by_first_bytes(data)
            if suffix:
                plain = decompressed(data, suffix, BASE_BYTES)
                self.known[digest(plain)] = plain

    def __getitem__(self, wanted):
        if wanted not in self.known:
            raise Refused(f"the base {wanted} is not there")
        return self.known[wanted]


def rebuilt(file, bases):
    """Documents, layers and blobs of the package in `file`, by their digests; each was compared with its digest."""
    members = archive.members(archive.unwrapped(file))
    described = next(iter(members))
    if described != "metadata.json":
        raise Refused("this is no package: its first member is not metadata.json")
    package = Package(metadata.parse(members.pop(described), members), members)
    return {**package.documents(), **package.layers_and_blobs(bases)}


class Package:
    """The members of a package, which are those that its metadata lists."""

    def __init__(self, described, members):
        self.metadata, self.members = described, members
        listed = [(member["name"], member["size"], member["digest"]) for member in described["members"]]
        if [name for name, _, _ in listed] != list(members):
            raise Refused("the package has other members than its metadata.json lists")
        for name, size, expected in listed:
            if (len(members[name]), digest(members[name])) != (size, expected):
                raise Refused(f"the member {name} is not the one that metadata.json lists")
        self.members = packed.with_documents(described, members)

    def documents(self):
        found = {}
        for image in self.metadata.get("images", []):
            of_image = {name: self.members["blobs/sha256/" + name[7:]] for name in image["documents"]}
            documents.check(image, of_image)
            found.update(of_image)
        if "layout_index" in self.metadata:
            index = self.metadata["layout_index"]
            found[index] = self.members["blobs/sha256/" + index[7:]]
            documents.check_layout_index(found[index], self.metadata["images"])
        return found

    def layers_and_blobs(self, bases):
        layers, blobs = {}, {}
        for layer in self.metadata["layers"]:
            name, how = layer["diff_id"], metadata.coded(layer)
            known = [layers[base] if base in layers else bases[base] for base in (how or {}).get("bases", [])]
            data = bases[name] if how is None else self.layer(layer, how, known)
            if (layer.get("size", len(data)), digest(data)) != (len(data), name):
                raise Refused(f"the rebuilt layer {name} has another size or digest")
            layers[name] = data
        for blob in self.metadata.get("blobs", []):
            data = self.blob(blob, layers, bases)
            if (len(data), digest(data)) != (blob["size"], blob["digest"]):
                raise Refused(f"the blob {blob['digest']} has another size")
            blobs[blob["digest"]] = data
        return {**layers, **blobs}

    def blob(self, blob, layers, bases):
        """The bytes of a compressed blob."""
        if "member" in blob:
            return self.members[blob["member"]]
        if "recreated" not in blob:
            return bases[blob["digest"]]
        how, named = blob["recreated"], map(metadata.pair, metadata.layers_of_manifests(self.metadata))
        layer = next(layers[diff_id] for diff_id, name in named if name == blob["digest"])
        return plan.blob(bytes.fromhex(how["plan"]) if "plan" in how else self.plain(how["member"], plan.PLAN_BYTES), layer)

    def layer(self, layer, how, known):
        """The bytes of a coded layer."""
        size, codec = layer["size"], how["codec"]
        if codec == "recipe":
            opened = how.get("recompressed", 0)
            bounds = {name: most_bytes(stream_of(name), size, opened) for name in how["members"]}
            streams = {stream_of(name): self.plain(name, most) for name, most in bounds.items() if not name.endswith(MIXED)}
            for name in (name for name in bounds if name.endswith(MIXED)):
                self.unmix(name, bounds[name], streams, (size, opened))
            mixed = any(name.endswith(MIXED) for name in how["members"])
            if mixed and MIX_FEATURE not in self.metadata["requires"]:
                raise Refused(f"the package does not require {MIX_FEATURE}, which a recipe uses")
            recipe = Recipe(streams.pop("recipe"), streams, known, size, mixed)
            made = recipe.layer()
            if recipe.contents.predicts_large and LARGE_FEATURE not in self.metadata["requires"]:
                raise Refused(f"the package does not require {LARGE_FEATURE}, which a recipe uses")
            return made
        if codec == "bsdiff":
            return bsdiff.apply(self.members[how["members"][0]], b"".join(known), size)
        data = self.plain(how["members"][0], size if codec == "whole" else most_bytes(codec, size))
        return data if codec == "whole" else vcdiff.apply(data, b"".join(known), size)

    def unmix(self, name, most, streams, bounds):
        """Adds what is in a member that is mixed to the streams."""
        if stream_of(name) != "recipe":
            raise Refused(f"{name} is mixed, which only the first member of a recipe can be")
        streams["recipe"], guided = unmixed_with_guided(self.members[name], most)
        if guided and GUIDED_FEATURE not in self.metadata["requires"]:
            raise Refused(f"the package does not require {GUIDED_FEATURE}, which a recipe uses")
        for stream, held in guided.items():
            if streams.get(stream) or held.length > most_bytes(stream, *bounds):
                raise Refused(f"the stream `{stream}` is there twice, or too long")
            streams[stream] = held

    def plain(self, name, most):
        """What is in a member that is compressed as its name says."""
        suffix = name.rpartition(".")[2]
        return decompressed(self.members[name], suffix if suffix in MAGIC.values() else "", most)


def stream_of(name):
    """The stream that a member of a recipe holds: the word behind the digits of its name."""
    return name.rpartition("/")[2].split(".")[1]
