"""What a reader says when it does not believe a package, or cannot read it."""


class Refused(Exception):
    """The package, or a base that was given with it, is not what it must be."""


class Unsupported(Exception):
    """The package needs what this reader does not do."""
