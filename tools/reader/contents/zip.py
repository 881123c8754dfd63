"""The streams of a zip archive (FORMAT.md, section 9.1; APPNOTE.TXT for the records)."""

from .deflate import counted

DIRECTORY_BYTES = 67108864
DEPTH, NESTED = 3, 1024
END, END64, LOCATOR, ENTRY, LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"
STORED, DEFLATED = 0, 8
FULL = 0xFFFFFFFF


def little(data, at, size):
    return int.from_bytes(data[at : at + size], "little")


def streams(data, allowance):
    """The streams of a zip, in the order of their offsets, without those that start in the one before."""
    places = Search(data).places()
    found, end = [], 0
    for start, stop in sorted(places):
        if start < end:
            continue
        stream = counted(data, start, allowance, stop)
        if stream:
            found.append(stream)
            end = stop
    return found


class Search:
    """Looks for compressed members, also in archives that are stored in the archive."""

    def __init__(self, data):
        self.data, self.nested, self.room = data, NESTED, DIRECTORY_BYTES

    def places(self, start=0, end=None, depth=0):
        """Where the compressed bytes of members start and end, in the archive that `data[start:end]` is."""
        archive = self.data[start:end]
        found = []
        for method, at, stop in members(archive, self.take):
            if method == DEFLATED:
                found.append((start + at, start + stop))
            elif archive[at : at + 4] == LOCAL and depth < DEPTH and self.nested:
                self.nested -= 1
                found += self.places(start + at, start + stop, depth + 1)
        return found

    def take(self, length):
        """Whether the directories together still fit with one of this length."""
        self.room -= length if length <= self.room else 0
        return length <= DIRECTORY_BYTES and self.room >= 0


def members(data, fits):
    """Method, start and end of the bytes of each member that is stored or deflated and not encrypted."""
    directory = find_directory(data)
    if directory is None or not fits(directory[1] - directory[0]):
        return
    at, end, shift = directory
    while at + 46 <= end and data[at : at + 4] == ENTRY:
        name, extra, comment = (little(data, at + field, 2) for field in (28, 30, 32))
        flags, method = little(data, at + 8, 2), little(data, at + 10, 2)
        size, offset = zip64_fields(data, at, data[at + 46 + name : at + 46 + name + extra])
        at += 46 + name + extra + comment
        place = local_data(data, shift + offset)
        if not flags & 1 and method in (STORED, DEFLATED) and place is not None and place + size <= len(data):
            yield method, place, place + size


def zip64_fields(data, at, extra):
    """The compressed size and the offset of the local header of a directory's entry."""
    plain, size, offset = (little(data, at + field, 4) for field in (24, 20, 42))
    while len(extra) >= 4:
        kind, length = little(extra, 0, 2), little(extra, 2, 2)
        if kind == 1:
            field = extra[4 : 4 + length]
            if plain == FULL:
                field = field[8:]
            if size == FULL:
                size, field = little(field, 0, 8), field[8:]
            if offset == FULL:
                offset = little(field, 0, 8)
        extra = extra[4 + length :]
    return size, offset


def local_data(data, at):
    """Where the bytes of the member whose local header is at `at` start."""
    if at < 0 or data[at : at + 4] != LOCAL or at + 30 > len(data):
        return None
    return at + 30 + little(data, at + 26, 2) + little(data, at + 28, 2)


def find_directory(data):
    """Start and end of the directory, and what is to be added to offsets: by the last end record that is right behind one."""
    at = len(data)
    while (at := data.rfind(END, 0, at)) >= 0:
        if at + 22 <= len(data):
            size, offset, end = little(data, at + 12, 4), little(data, at + 16, 4), at
            if FULL in (size, offset) or little(data, at + 10, 2) == 0xFFFF:
                if data[at - 20 : at - 16] == LOCATOR and data[at - 76 : at - 72] == END64:
                    end = at - 76
                    size, offset = little(data, end + 40, 8), little(data, end + 48, 8)
            start = end - size
            if start >= 0 and (size == 0 or data[start : start + 4] == ENTRY) and start - offset >= 0:
                return start, end, start - offset
        at += 3
    return None
