"""Locks a folder for one process, so that two stacks never write to the same data.

The lock is the kernel's: it ends with the last process that holds it, however that process ends.
The file keeps the process id of its holder, for the message to the next one.
"""

import errno
import fcntl
import os
from pathlib import Path
from typing import Final, Self

from shared.errors import ConfigError

_NAME: Final = "lock"


class FolderInUseError(ConfigError):
    """Another process holds the lock; the message names the folder and the process id."""


class FolderLock:
    """The lock of one folder, held from `acquire` to `release`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self, *, is_inheritable: bool = False) -> Self:
        """Lock the folder. Raises FolderInUseError if another process has locked it.

        With `is_inheritable` the lock also lasts for the program that replaces this process.
        """
        descriptor = os.open(self._folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise FolderInUseError([_in_use(self._folder, holder)]) from None
        os.set_inheritable(descriptor, is_inheritable)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    @property
    def descriptor(self) -> int:
        """The open file; a child process that inherits it holds the lock too."""
        assert self._descriptor is not None
        return self._descriptor

    def release(self) -> None:
        """Close the file; the lock ends unless a child process has inherited it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def check_unlocked(folder: Path) -> None:
    """Raises FolderInUseError if a process has locked `folder`."""
    FolderLock(folder).acquire().release()


def _in_use(folder: Path, holder: str) -> str:
    return (
        f"TRADEDAD_STACK_DATA_DIR: {folder} is in use by another stack (process {holder or '?'}); "
        "stop that process, or choose another folder with TRADEDAD_STACK_DATA_DIR=FOLDER"
    )
