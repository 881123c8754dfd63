"""Recipes (FORMAT.md, section 8.3): what happens to each entry of a layer."""

from package.cursor import unfold
from package.faults import Refused

from .entries import BLOCK, ENTRIES, entries
from .entry_contents import ODD_PADDING, OPAQUE, Contents
from .headers import Headers
from .streams import Streams, at_most


class Bases:
    """The entries of all bases of a layer, numbered from 0."""

    def __init__(self, layers):
        self.entries = [entry for layer in layers for entry in entries(layer)]

    def __getitem__(self, number):
        if not 0 <= number < len(self.entries):
            raise Refused(f"there is no entry {number} in the bases")
        return self.entries[number]


class Recipe:
    """Makes a layer of `size` bytes from the streams of its recipe and from base layers."""

    def __init__(self, recipe, members, layers, size, mixed=False):
        self.streams, self.bases, self.size = Streams(recipe, members, mixed), Bases(layers), size
        self.columns = self.streams.columns
        self.headers = Headers(self.columns)
        self.contents = Contents(self.streams, self.bases, size)
        self.next_header, self.last_header = 0, bytes(BLOCK)
        self.made = bytearray()

    def layer(self):
        left = at_most(self.streams.count, ENTRIES, "entries")
        while left:
            run = at_most(self.columns["runs"].number(), left, "entries in a run")
            if run:
                self.copy(run)
            left -= run
            if left:
                self.add(self.described())
                left -= 1
        self.streams.must_end()
        return bytes(self.made)

    def add(self, entry):
        self.made += entry
        at_most(len(self.made), self.size, "bytes of a layer")

    def copy(self, run):
        """A run: entries as they stand in the base."""
        end = self.next_header + run
        for number in range(self.next_header, end):
            entry = self.bases[number]
            if entry.has_header:
                self.last_header = entry.header_bytes
            self.add(entry.whole)
        self.next_header = self.contents.next_content = end

    def described(self):
        """The bytes of the next entry that the columns describe."""
        kind = self.columns["kinds"].number()
        if kind & OPAQUE:
            content = self.contents.made(kind, None)
            return content + self.padding(kind, len(content))
        like, like_number = self.looks_like()
        content = self.contents.made(kind, like_number)
        self.last_header = self.headers.made(like, len(content))
        return self.last_header + content + self.padding(kind, len(content))

    def looks_like(self):
        """The header that the next one looks like, and the number of its entry when it is one of a base."""
        named = self.columns["headers"].number()
        if not named:
            return self.last_header, None
        number = self.next_header + unfold(named - 1)
        entry = self.bases[number]
        if not entry.has_header:
            raise Refused(f"the entry {number} of the bases has no header")
        self.next_header = number + 1
        return entry.header_bytes, number

    def padding(self, kind, length):
        if kind & ODD_PADDING:
            odd = at_most(self.columns["lengths"].number(), BLOCK - 1, "bytes of padding")
            return self.columns["paddings"].take(odd)
        return b"" if kind & OPAQUE else bytes(-length % BLOCK)
