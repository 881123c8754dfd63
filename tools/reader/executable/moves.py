"""Where offsets and addresses of the base are in the target (FORMAT.md, sections 10.1 and 10.2)."""

from bisect import bisect_right

from package.cursor import WORD, Cursor, unfold
from package.faults import Refused

from .elf import LOAD, Part, address_of, first_with_address

SMALL_PIECE = 64
PARTS = 256


def pieces_of(matches):
    """Pieces (start, end, shift) of the base, in their order, small ones between two of one shift left out."""
    covered = []
    for place, start, length in sorted(matches, key=lambda match: -match[2]):
        for free_start, free_end in uncovered(covered, start, start + length):
            covered.insert(bisect_right(covered, (free_start,)), (free_start, free_end, place - start))
    kept = []
    for number, (start, end, shift) in enumerate(covered):
        after = covered[number + 1 : number + 2]
        if kept and after and end - start < SMALL_PIECE and kept[-1][2] == after[0][2] != shift:
            continue
        kept.append((start, end, shift))
    return kept


def uncovered(covered, start, end):
    """The spans between `start` and `end` that no piece covers."""
    free, at = [], start
    first = max(bisect_right(covered, (start,)) - 1, 0)
    for piece_start, piece_end, _ in covered[first:]:
        if piece_start >= end:
            break
        if piece_start > at:
            free.append((at, piece_start))
        at = max(at, piece_end)
    return free + [(at, end)] if at < end else free


def read_hint(hint, base_parts):
    """The loaded parts of the target and the address of its `.bss`, or nothing when the hint is another."""
    cursor = Cursor(hint, "a hint")
    try:
        parts = []
        count = cursor.high_first()
        if count > PARTS:
            return None
        for number in range(count):
            base = base_parts[number] if number < len(base_parts) else Part(LOAD, 0, 0, 0, 0, 0, 0)
            fields = [
                (field + unfold(cursor.high_first())) % WORD
                for field in (base.offset, base.address, base.in_file, base.in_memory)
            ]
            parts.append(Part(LOAD, base.flags, *fields, 0))
        return parts, cursor
    except Refused:
        return None


class Moves:
    """How everything moves from the base to the target."""

    def __init__(self, base, matches, hint):
        self.base, self.pieces = base, pieces_of(matches)
        self.starts = [piece[0] for piece in self.pieces]
        self.known = False
        read = read_hint(hint, base.loaded)
        if read is None:
            return
        self.target_parts, cursor = read
        try:
            self.base_bss = base.bss()
            self.target_bss = (self.base_bss + unfold(cursor.high_first())) % WORD
        except Refused:
            return
        self.known = cursor.ended()

    def offset(self, offset):
        """Where an offset of the base is in the target."""
        if not self.pieces:
            return offset
        number = bisect_right(self.starts, offset) - 1
        if number < 0:
            return offset + self.pieces[0][2]
        start, end, shift = self.pieces[number]
        if offset >= end and number + 1 < len(self.pieces):
            after = self.pieces[number + 1]
            if after[0] - offset <= offset - end:
                shift = after[2]
        return offset + shift

    def address(self, address):
        """Where an address of the base is in the target, or nothing when it does not move."""
        part = first_with_address(self.base.loaded, address)
        if part is None:
            return None
        if address - part.address >= part.in_file:
            return (address + self.target_bss - self.base_bss) % WORD
        return self.address_of(part.offset + address - part.address)

    def address_of(self, offset):
        """The address in the target of a place in the base."""
        return address_of(self.target_parts, self.offset(offset))

    def end(self, address):
        """Where an address moves as an end: the one behind the place of the byte before it."""
        before = self.address(address - 1)
        return None if before is None else (before + 1) % WORD
