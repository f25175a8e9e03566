"""Starts nats-server or mongod with the stack's settings: ``python -m embedded.launch nats``."""

import os
import sys
import time
from pathlib import Path
from typing import Final

from embedded import daemons
from embedded.folder_lock import FolderInUseError, FolderLock
from embedded.secrets import ensure_secrets
from embedded.settings import StackSettings
from operations.secret_files import NATS_PASSWORDS
from shared.runtime import exit_codes
from shared.runtime.disk_space import free_space
from shared.runtime.settings import RuntimeSettings, load

_LOCK_SECS: Final = 15.0
_POLL_SECS: Final = 0.1
_SPACE_POLL_SECS: Final = 1.0


def main() -> None:
    """Replace this process by the server. Exits with CONFIG on a wrong command line."""
    settings = load(StackSettings)
    match sys.argv[1:]:
        case ["nats"] if settings.nats_server is not None:
            command = daemons.nats_command(
                settings.nats_server,
                port=settings.nats_port,
                monitor_port=settings.nats_monitor_port,
                folder=settings.data_dir / "nats",
            )
            _lock_until_exit(settings.data_dir / "nats")
            secrets = ensure_secrets(settings.data_dir / "secrets")
            environment = {name: secrets[name] for name in NATS_PASSWORDS}
        case ["mongo"] if settings.mongod is not None:
            _wait_for_space(settings.data_dir, load(RuntimeSettings).disk_critical_bytes)
            command = daemons.mongod_command(
                settings.mongod,
                port=settings.mongo_port,
                folder=settings.data_dir / "mongo",
                log=settings.data_dir / "mongod.log",
            )
            environment = {}
        case _:
            print("usage: python -m embedded.launch nats|mongo", file=sys.stderr)
            sys.exit(exit_codes.CONFIG)
    os.execve(command[0], command, environment)  # noqa: S606


def _wait_for_space(folder: Path, critical_bytes: int) -> None:
    """Wait while the disk is full.

    A mongod that starts on a full disk ends at once, and takes the space that was released so that
    nats-server can store leases.
    """
    is_reported = False
    while (free_bytes := free_space(folder)) < critical_bytes:
        if not is_reported:
            print(f"disk is full: {free_bytes} bytes are free; mongod waits", flush=True)
            is_reported = True
        time.sleep(_SPACE_POLL_SECS)


def _lock_until_exit(folder: Path) -> None:
    """Lock NATS' folder for the life of nats-server, which replaces this process.

    Unlike mongod, nats-server does not lock its data. A killed stack may leave one that is still
    stopping, so the lock is waited for. Exits with CONFIG if it is not released in time.
    """
    deadline = time.monotonic() + _LOCK_SECS
    while True:
        try:
            FolderLock(folder).acquire(is_inheritable=True)
        except FolderInUseError as error:
            if time.monotonic() > deadline:
                print(error, file=sys.stderr)
                sys.exit(exit_codes.CONFIG)
            time.sleep(_POLL_SECS)
        else:
            return


if __name__ == "__main__":
    main()
