"""Free space of a disk. Imports little: the supervisors of `make run` use it."""

import os
from pathlib import Path


def free_space(folder: Path) -> int:
    """Bytes that a process without special rights can still write below `folder`.

    The folder may not exist yet; then its nearest parent counts. Raises OSError.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
