"""The copy of an executable that rules write to, while they read the executable as it is."""


class Writer:
    """Reads from the base, writes to a copy; `None` as a value writes nothing."""

    def __init__(self, elf, moves):
        self.elf, self.moves, self.base = elf, moves, elf.data
        self.copy = bytearray(elf.data)

    def write(self, at, size, value):
        """Writes the low bits of `value`."""
        if value is not None and 0 <= at and at + size <= len(self.copy):
            self.copy[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")

    def word_address(self, at):
        """A word that is an address."""
        self.write(at, self.elf.word, self.moves.address(self.elf.read_word(at)))

    def signed(self, at):
        """A distance: a signed number of 32 bits."""
        return int.from_bytes(self.base[at : at + 4], "little", signed=True)

    def distance(self, at, counted_from):
        """The distance at `at`, from an address to another one that both move."""
        self.put_distance(at, self.moves.address(counted_from), self.moves.address(counted_from + self.signed(at)))

    def distance_from_here(self, at, behind=0):
        """A distance that is counted from where it stands, or from as many bytes behind that."""
        counted_from = self.here(at)
        if counted_from is not None:
            there = self.moves.address(counted_from + behind + self.signed(at))
            here = self.moves.address_of(at)
            self.put_distance(at, None if here is None else here + behind, there)

    def here(self, at):
        """The address of a place in the file."""
        return self.elf.address_of(at)

    def put_distance(self, at, here, there):
        if here is not None and there is not None:
            self.write(at, 4, there - here)
