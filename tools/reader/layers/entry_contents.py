"""The contents of a recipe's entries (FORMAT.md, sections 8.3 and 8.4)."""

from contents.plan import Plan
from contents.unfold import unfolded
from executable.predict import predicted
from package.faults import Refused

from .patch import Patches
from .streams import at_most

EMPTY, OF_HEADER, OF_ENTRY, AGAIN, PATCHED_OF_HEADER, PATCHED_OF_ENTRY, NEW = range(7)
PATCHED = (PATCHED_OF_HEADER, PATCHED_OF_ENTRY)
ODD_PADDING, OPAQUE, OPENED, PREDICTED = 8, 16, 32, 64
PLAN_BYTES, HINT_BYTES = 16777216, 16384
PREDICTED_BYTES, PREDICTED_BYTES_LARGE, PREDICTED_MATCHES = 50331648, 134217728, 3145728


def check_kind(kind):
    how = kind & 7
    if kind > 127 or how > NEW or (kind & OPENED and how not in (*PATCHED, NEW)):
        raise Refused(f"an entry has the unknown kind {kind}")
    if kind & PREDICTED and (how not in PATCHED or kind & OPENED):
        raise Refused(f"an entry has the unknown kind {kind}")


class Contents:
    """Makes contents one behind the other."""

    def __init__(self, streams, bases, size):
        self.columns, self.groups, self.bases, self.size = streams.columns, streams.groups, bases, size
        self.patches = Patches(*streams.patches)
        self.next_content, self.new = 0, []
        self.predicts_large = False

    def made(self, kind, like_number):
        """The next content; `like_number` is the base entry whose header its header looks like, if it is one's."""
        check_kind(kind)
        how = kind & 7
        if how == EMPTY:
            return b""
        if how == AGAIN:
            back = self.columns["contents"].number()
            if not 1 <= back <= len(self.new):
                raise Refused("a content is one that is not there yet")
            return self.new[-back]
        if how == NEW:
            return self.opened(b"", self.length()) if kind & OPENED else self.brought()
        base = self.of_base(how, like_number)
        if how not in PATCHED:
            return base
        length = at_most(len(base) + self.columns["lengths"].signed(), self.size, "bytes of a content")
        if length < 0:
            raise Refused("a content has less than no bytes")
        if kind & OPENED:
            return self.opened(unfolded(base), length)
        return self.patched(base, length, kind & PREDICTED)

    def length(self):
        return at_most(self.columns["lengths"].number(), self.size, "bytes of a content")

    def of_base(self, how, like_number):
        """The content of a base entry."""
        number = like_number
        if how in (OF_ENTRY, PATCHED_OF_ENTRY):
            number = self.next_content + self.columns["contents"].signed()
        if number is None:
            raise Refused("a content is that of a header which is none of a base")
        self.next_content = number + 1
        return self.bases[number].content_bytes

    def brought(self):
        """A new content."""
        group = at_most(self.columns["groups"].number(), len(self.groups) - 1, "as the number of a group")
        self.new.append(self.groups[group].take(self.length()))
        return self.new[-1]

    def patched(self, base, length, is_predicted):
        if not is_predicted:
            return self.patches.made(base, length)
        hint = self.columns["hints"].take(at_most(self.columns["hints"].number(), HINT_BYTES, "bytes of a hint"))
        longest = max(len(base), length)
        self.predicts_large |= longest > PREDICTED_BYTES
        if longest > PREDICTED_BYTES_LARGE:
            return self.patches.made(base, length)
        few = lambda matches: len(matches) <= PREDICTED_MATCHES
        return self.patches.made(base, length, lambda base, matches: predicted(base, matches, hint) if few(matches) else base)

    def opened(self, base, length):
        """A content that is made by its plan of what a patch makes."""
        plan = self.columns["plans"].take(at_most(self.columns["plans"].number(), PLAN_BYTES, "bytes of a plan"))
        plan = Plan(plan)
        content = plan.content(self.patches.made(base, plan.opened_length))
        if len(content) != length:
            raise Refused("a plan makes a content of another length")
        return content
