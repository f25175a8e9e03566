"""Writes ``NAME.gz`` beside each file of a built page, for the gateway: ``python compress.py FOLDER``.

It runs where nothing of the project is installed, such as in the page's stage of the Dockerfile.
"""

import sys
from pathlib import Path

from zopfli import gzip


def compress(folder: Path) -> None:
    """Compress all files below `folder`, except those that would not become smaller."""
    for path in [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz"]:
        content = path.read_bytes()
        compressed = gzip.compress(content)
        if len(compressed) < len(content):
            path.with_name(f"{path.name}.gz").write_bytes(compressed)


if __name__ == "__main__":
    compress(Path(sys.argv[1]))
