"""New passwords for one user at NATS and MongoDB, in the folder of secrets."""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from operations.deployments import BACKUP_ROLES, DATABASE_USERS, DEPLOYMENTS, MONITOR_USER
from operations.first_secrets import SecretFolder
from operations.kustomization import write_kustomization
from operations.secret_files import NATS_PASSWORDS
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock

NATS_USERS: Final = tuple(name.split("_")[1].lower() for name in NATS_PASSWORDS)
_MONGO_USERS: Final = (*DATABASE_USERS, MONITOR_USER)
_PROGRAMS: Final = {MONITOR_USER: "server-metrics"}
"""The name of the program that connects as a user, where it is another one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    users = sorted({*NATS_USERS, *_MONGO_USERS})
    parser.add_argument("user", choices=users, help="a service, or another user of MongoDB")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the secrets")
    parser.add_argument(
        "--deployment", choices=sorted(DEPLOYMENTS), default="compose", help="default: compose"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replace a user's passwords in the folder of secrets, and say what to do next."""
    user: str = arguments.user
    folder: Path = arguments.folder
    names = [f"TRADEDAD_{user.upper()}_NATS_PASSWORD"] if user in NATS_USERS else []
    if user in _MONGO_USERS:
        names += [f"{user}-mongo-password", f"{user}-mongo-url"]
    if missing := [name for name in names if not (folder / name).is_file()]:
        print(f"--folder: {folder / missing[0]}: there is no such file", file=sys.stderr)
        return exit_codes.CONFIG
    owners = {name: _owner(folder / name) for name in names}
    for name in names:
        (folder / name).unlink()
    made = SecretFolder(folder)
    made.fill(DEPLOYMENTS[arguments.deployment], SystemClock(), datetime.now(UTC))
    # Root makes files of its own, which the containers' user could not read.
    for name, owner in owners.items():
        if _owner(folder / name) != owner:
            os.chown(folder / name, *owner)
    if arguments.deployment == "kubernetes":
        write_kustomization(folder)
    for name in made.created:
        print(f"created {folder / name}")
    print(f"next: {_next(user)}")
    return exit_codes.OK


def _next(user: str) -> str:
    steps = ["run prepare-mongo"] if user in _MONGO_USERS else []
    restarted = ["nats-server"] if user in NATS_USERS else []
    if user not in BACKUP_ROLES:
        restarted.append(_PROGRAMS.get(user, user))
        steps.append(f"restart {' and '.join(restarted)}, which cannot connect in between")
    return ", ".join(steps)


def _owner(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid
