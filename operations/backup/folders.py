"""Creates the folder of a new backup, and deletes old backups beside it."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from operations.backup.manifest import MANIFEST, SUFFIX, BadBackup, read_manifest
from shared.errors import TradeDadError

KEPT: Final = 7
"""This many of the newest backups are kept, however old they are."""
_PART: Final = ".part"
_LEFT_SECS: Final = 86_400.0
_LOCK: Final = ".lock"
_DIRECTORY_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Errors of file systems that have no locks."""


class BackupFailed(TradeDadError):
    """No backup could be taken; the message says why and what to do."""


class BackupRuns(TradeDadError):
    """Another process takes the backup of this name at the moment."""


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A new folder, renamed to `folder` on leaving, or deleted after an exception.

    Only the file of the lock is in it. What a run that was killed has left is used again.
    Raises BackupFailed, BackupRuns or OSError.
    """
    if folder.exists():
        raise BackupFailed(f"{folder} exists: a backup is never overwritten")
    partial = folder.with_name(folder.name + _PART)
    partial.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    if other := _other_entry(partial):
        raise BackupFailed(f"{partial} holds {other}, which no backup writes: move it away")
    with _deleted_if_empty(partial), _locked(partial) as is_locked:
        if not is_locked:
            raise BackupRuns(f"{partial}: another process is writing this backup")
        try:
            empty(partial)
            yield partial
            partial.rename(folder)
        except BaseException:
            with suppress(OSError):
                _empty_with_lock(partial)
            raise
        with suppress(OSError):
            # Not before: another process would make and lock a new file in the complete backup.
            (folder / _LOCK).unlink()


@contextmanager
def _deleted_if_empty(folder: Path) -> Iterator[None]:
    """After an exception; a folder that another process writes is not empty."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.rmdir()
        raise


def empty(folder: Path) -> None:
    """Delete what is in a folder of a backup, except the file of its lock. Raises OSError."""
    for path in folder.iterdir():
        if path.name != _LOCK:
            path.unlink()


def _empty_with_lock(folder: Path) -> None:
    """Delete all files; the folder itself is deleted after the lock is released.

    The file of the lock is the last: without it, another process could lock and use the folder.
    NFS keeps a file that is open under another name in the folder until it is closed.
    """
    empty(folder)
    (folder / _LOCK).unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock the folder; yields whether it was free. The kernel releases it with the process.

    A file is locked, and opened for writing, because NFS cannot lock folders.
    """
    path = folder / _LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE)
    try:
        yield _lock(descriptor) and _is_at(descriptor, path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """False if the last owner has meanwhile deleted the folder, or given it the final name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def delete_old(
    beside: Path, database: str, keep_days: int, now: datetime, report: Callable[[str], None]
) -> None:
    """Delete the backups of `database` beside the new one that are older than `keep_days`.

    The newest `KEPT` stay. A folder without the manifest of a backup is left alone, except one
    that a run did not finish a day ago. A folder with anything that no backup writes is never
    deleted. What is deleted, or cannot be, goes to `report`; no OSError is raised.
    """
    folders: list[Path] = []
    with _reporting(beside.parent, report), suppress(FileNotFoundError):
        folders.extend(_folders(beside.parent))
    for path in folders:
        with _reporting(path, report):
            if path.name.endswith(_PART) and path.stat().st_mtime < now.timestamp() - _LEFT_SECS:
                _delete(path, path, report)
    oldest = now - timedelta(days=keep_days)
    for taken_at, path in sorted(_backups(folders, database), reverse=True)[KEPT:]:
        if taken_at < oldest:
            with _reporting(path, report):
                # A deletion that is interrupted leaves a part, which is deleted later.
                _delete(path, path.with_name(path.name + _PART), report)


@contextmanager
def _reporting(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Report an OSError of an old folder instead of raising it."""
    try:
        yield
    except OSError as error:
        report(f"{error.filename or path}: cannot be deleted: {error.strerror}")


def _delete(path: Path, part: Path, report: Callable[[str], None]) -> None:
    """Delete a folder under the name `part`, unless another process writes it. Raises OSError."""
    if other := _other_entry(path):
        report(f"{path}: is not deleted: it holds {other}, which no backup writes")
        return
    path.rename(part)
    with suppress(OSError):
        os.link(part / MANIFEST, part / _LOCK)  # a full disk may have no space for a new file
    with _locked(part) as is_locked:
        if not is_locked:
            return
        _empty_with_lock(part)
    part.rmdir()
    report(f"{path}: deleted")


def _folders(parent: Path) -> list[Path]:
    with os.scandir(parent) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]


def _other_entry(folder: Path) -> str | None:
    """The name of something in the folder that no backup writes. Raises OSError."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not (_is_of_backup(entry.name) and entry.is_file(follow_symlinks=False)):
                return entry.name
    return None


def _is_of_backup(name: str) -> bool:
    # A manifest that is being written has a temporary name.
    return name in {MANIFEST, _LOCK} or name.startswith(f".{MANIFEST}.") or name.endswith(SUFFIX)


def _backups(folders: list[Path], database: str) -> Iterator[tuple[datetime, Path]]:
    for path in folders:
        if path.name.endswith(_PART):
            continue
        try:
            manifest = read_manifest(path)
        except BadBackup:
            continue
        if manifest.database == database:
            taken_at = manifest.taken_at
            yield taken_at if taken_at.tzinfo else taken_at.replace(tzinfo=UTC), path
