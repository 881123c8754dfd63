"""Documents that share a member (FORMAT.md, section 20)."""

import hashlib

from mixing.segments import unmixed

from .cursor import Cursor
from .faults import Refused

MEMBER, FEATURE, MOST = "documents.mix", "documents-1", 1048576


def with_documents(metadata, members):
    """The members, and under the names of members of their own the documents that share one."""
    if FEATURE not in metadata["requires"]:
        return members
    if MEMBER not in members:
        raise Refused(f"there is no member {MEMBER}")
    listed = {digest for image in metadata.get("images", []) for digest in image["documents"]}
    digests = sorted(listed | ({metadata["layout_index"]} if "layout_index" in metadata else set()))
    cursor = Cursor(unmixed(members[MEMBER], MOST), MEMBER)
    found, lengths = dict(members), [cursor.little(4) for _ in digests]
    for digest, length in zip(digests, lengths):
        data = cursor.take(length)
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            raise Refused(f"{MEMBER} does not hold the document {digest}")
        found["blobs/sha256/" + digest[7:]] = data
    cursor.must_end()
    return found
