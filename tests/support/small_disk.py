"""A small disk that a test can fill."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from shared.runtime.disk_space import free_space

_BLOCK: Final = bytes(1 << 16)
_SMALL_BLOCK: Final = bytes(1 << 12)


class SmallDisk:
    """A mounted file system of a fixed size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Write a file until only `leave_bytes` are free."""
        with self._filler.open("ab", buffering=0) as file:
            while free_space(self.folder) > leave_bytes:
                is_near = free_space(self.folder) - leave_bytes < 2 * len(_BLOCK)
                try:
                    file.write(_SMALL_BLOCK if is_near else _BLOCK)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def free(self) -> None:
        """Delete that file."""
        self._filler.unlink()


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    """Mount a file system in memory at `folder`; skips the test if that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
