"""Unfolding (FORMAT.md, section 9.2): a content, followed by what its streams make."""

from .containers import looks_like_one, streams
from .deflate import Allowance

DEPTH, NESTED = 3, 128


def unfolded(content):
    """The content and the plain bytes of all streams in it."""
    return content + Unfolding().plain(content, DEPTH)


class Unfolding:
    """What the streams of one content may still use, nested ones included."""

    def __init__(self):
        self.allowance, self.nested = Allowance(), NESTED

    def plain(self, content, depth):
        """The plain bytes of each stream of the content, each with those of the streams that are in it behind it."""
        parts = []
        for stream in streams(content, self.allowance):
            parts.append(stream.plain)
            if depth > 1 and self.nested and looks_like_one(stream.plain):
                self.nested -= 1
                parts.append(self.plain(stream.plain, depth - 1))
        return b"".join(parts)
