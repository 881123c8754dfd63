"""Reads a package as FORMAT.md says, and rebuilds what it brings: `python3 tools/reader PACKAGE [BASES [OUT]]`."""

import json
import sys
from pathlib import Path

from apply import Bases, rebuilt
from package.faults import Refused, Unsupported


def main(arguments):
    """Prints the digests and sizes of what was rebuilt; 4 when the package is refused, 3 when it needs what is not there."""
    if not 1 <= len(arguments) <= 3:
        print(__doc__, file=sys.stderr)
        return 2
    package, *folders = map(Path, arguments)
    try:
        bases = Bases(path.read_bytes() for path in sorted(folders[0].iterdir())) if folders else Bases([])
        results = rebuilt(package.read_bytes(), bases)
    except Refused as refused:
        print(f"{package}: {refused}", file=sys.stderr)
        return 4
    except Unsupported as unsupported:
        print(f"{package}: {unsupported}", file=sys.stderr)
        return 3
    for digest, data in results.items() if len(folders) > 1 else []:
        (folders[1] / digest.removeprefix("sha256:")).write_bytes(data)
    print(json.dumps({digest: len(data) for digest, data in results.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
