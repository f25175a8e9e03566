"""An archive of folders with keys and secrets, for the day on which their machine is lost."""

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.errors import TradeDadError

_OWNER_ONLY: Final = 0o600


class KeysNotSaved(TradeDadError):
    """No archive could be made; the message names the folder."""


def save_keys(archive: Path, folders: Sequence[Path]) -> int:
    """Write all files of the folders to a new archive (tar, gzip); returns their number.

    Only its owner can read it. Each folder keeps its last name, and a link is stored as the file
    that it leads to. Raises KeysNotSaved or OSError.
    """
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise KeysNotSaved(f"two folders have the same name: {', '.join(sorted(names))}")
    if empty := [folder for folder in folders if not _files(folder)]:
        raise KeysNotSaved(f"{empty[0]}: there is no such folder, or it has no files")
    count = 0
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", dereference=True) as tar:
                for folder, name in zip(folders, names, strict=True):
                    for path in _files(folder):
                        tar.add(path, f"{name}/{path.relative_to(folder)}", recursive=False)
                        count += 1
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        archive.unlink()
        raise
    return count


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
