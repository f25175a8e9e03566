"""New passwords for one service at NATS and MongoDB, in the folder of secrets."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from operations.deployments import DEPLOYMENTS, MONGO_USERS
from operations.first_secrets import SecretFolder
from operations.kustomization import write_kustomization
from operations.secret_files import NATS_PASSWORDS
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock

NATS_USERS: Final = tuple(name.split("_")[1].lower() for name in NATS_PASSWORDS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("service", choices=sorted(NATS_USERS), help="whose passwords")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the secrets")
    parser.add_argument(
        "--deployment", choices=sorted(DEPLOYMENTS), default="compose", help="default: compose"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replace a service's passwords in the folder of secrets, and say what to do next."""
    service: str = arguments.service
    folder: Path = arguments.folder
    names = [f"TRADEDAD_{service.upper()}_NATS_PASSWORD"]
    if service in MONGO_USERS:
        names += [f"{service}-mongo-password", f"{service}-mongo-url"]
    if missing := [name for name in names if not (folder / name).is_file()]:
        print(f"--folder: {folder / missing[0]}: there is no such file", file=sys.stderr)
        return exit_codes.CONFIG
    for name in names:
        (folder / name).unlink()
    made = SecretFolder(folder)
    made.fill(DEPLOYMENTS[arguments.deployment], SystemClock(), datetime.now(UTC))
    if arguments.deployment == "kubernetes":
        write_kustomization(folder)
    for name in made.created:
        print(f"created {folder / name}")
    prepare = "run prepare-mongo, " if service in MONGO_USERS else ""
    print(f"next: {prepare}restart nats-server and {service}, which cannot connect in between")
    return exit_codes.OK
