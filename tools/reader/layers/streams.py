"""The streams and columns of a recipe (FORMAT.md, section 8.2)."""

from mixing.guided import Guided
from package.cursor import Cursor
from package.faults import Refused

STREAMS = ["control", "gaps", "values", "literals", "contents"]
INLINE_BYTES = 32768
COLUMNS = """runs headers kinds contents lengths groups paddings masks times sizes modes users owners shared names links
prefixes rare whole plans hints""".split()
GROUPS = 256


def at_most(number, most, what):
    """The number, which must not be greater than `most`."""
    if number > most:
        raise Refused(f"a recipe has {number} {what}, at most {most} can be")
    return number


def most_bytes(name, layer_size, recompressed=0):
    """How many bytes a stream of a layer may have: one of a recipe by its name, or a VCDIFF."""
    if name == "contents":
        return layer_size
    return 1048576 + (layer_size + recompressed if name in STREAMS else 2 * layer_size)


class Streams:
    """What a recipe is read from: the four streams of patches, the groups of new contents, the columns."""

    def __init__(self, recipe, members, mixed=False):
        """`recipe` is the member of that name, `members` are the further ones by the names of their streams; streams of any length follow in one that is mixed."""
        cursor = Cursor(recipe, "the recipe")
        most = len(recipe) if mixed else INLINE_BYTES
        lengths = [at_most(cursor.little(4), most, "bytes of a stream that follows") for _ in STREAMS]
        streams = {}
        for name, length in zip(STREAMS, lengths):
            if length and name in members:
                raise Refused(f"the stream `{name}` is there twice")
            held = members.get(name) or cursor.take(length)
            streams[name] = held if isinstance(held, Guided) else Cursor(held, f"the stream `{name}`")
        self.patches = [streams[name] for name in STREAMS[:4]]
        self.count = cursor.number()
        groups = [cursor.number() for _ in range(at_most(cursor.number(), GROUPS, "groups"))]
        lengths = [cursor.number() for _ in COLUMNS]
        self.columns = {name: Cursor(cursor.take(length), f"`{name}`") for name, length in zip(COLUMNS, lengths)}
        cursor.must_end()
        self.groups = [Cursor(streams["contents"].take(length), "a group of new contents") for length in groups]

    def must_end(self):
        """Refuses columns of which something is left."""
        for column in self.columns.values():
            column.must_end()
