"""Commands for operators: ``python -m operations secrets|prepare-mongo``, with ``--help``."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from operations.deployments import DEPLOYMENTS, MONGO_USERS
from operations.first_secrets import SecretFolder, give_to
from operations.kustomization import write_kustomization
from operations.mongo_setup import MongoSetup, MongoSetupFailed
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock

_OWNER: Final = "USER_ID:GROUP_ID"


def secrets(arguments: argparse.Namespace) -> int:
    """Create the missing secrets of a deployment."""
    folder: Path = arguments.folder
    made = SecretFolder(folder)
    try:
        made.fill(DEPLOYMENTS[arguments.deployment], SystemClock(), datetime.now(UTC))
        if arguments.deployment == "kubernetes":
            write_kustomization(folder)
        if arguments.owner is not None:
            for path in (folder, *arguments.volumes):
                give_to(path, *arguments.owner)
    except OSError as error:
        print(f"--folder: {error.filename or folder}: {error.strerror}", file=sys.stderr)
        return exit_codes.CONFIG
    for name in made.created:
        print(f"created {folder / name}")
    print(f"{folder} is complete; keep a copy of it in a safe place")
    return exit_codes.OK


def prepare_mongo(arguments: argparse.Namespace) -> int:
    """Initiate the replica set, and create the services' users."""
    folder: Path = arguments.secrets
    try:
        passwords = {
            user: (folder / f"{user}-mongo-password").read_text().strip() for user in MONGO_USERS
        }
        key = (folder / "mongo-keyfile").read_text().strip()
        roles = [
            json.loads(path.read_text()) for path in sorted(arguments.roles.glob("*-role.json"))
        ]
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return exit_codes.CONFIG
    options = {"tls": True, "tlsCAFile": str(arguments.ca_file)} if arguments.ca_file else {}
    members = DEPLOYMENTS[arguments.deployment].mongo_members
    try:
        MongoSetup(members, key, passwords, roles, options).run(arguments.timeout_secs)
    except MongoSetupFailed as error:
        print(error, file=sys.stderr)
        return exit_codes.FAILED
    print(f"MongoDB is ready: {', '.join(members)}")
    return exit_codes.OK


def _owner(text: str) -> tuple[int, int]:
    user_id, separator, group_id = text.partition(":")
    if not (separator and user_id.isdecimal() and group_id.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not {_OWNER}, such as 10001:10001")
    return int(user_id), int(group_id)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument(
            "--deployment", choices=sorted(DEPLOYMENTS), default="compose", help="default: compose"
        )
        return command

    command = add("secrets", secrets)
    command.add_argument("--folder", type=Path, required=True, help="folder of the secrets")
    command.add_argument("--owner", type=_owner, metavar=_OWNER, help="new owner of all files")
    command.add_argument(
        "--volumes", type=Path, nargs="*", default=[], help="further folders for the new owner"
    )
    command = add("prepare-mongo", prepare_mongo)
    command.add_argument("--secrets", type=Path, required=True, help="folder of the secrets")
    command.add_argument("--roles", type=Path, required=True, help="folder of *-role.json")
    command.add_argument("--ca-file", type=Path, help="CA of MongoDB's certificate; uses TLS")
    command.add_argument("--timeout-secs", type=float, default=120.0, help="default: 120")
    return parser


def main() -> int:
    """Run the command of the command line and return its exit code."""
    arguments = _parser().parse_args()
    run: Callable[[argparse.Namespace], int] = arguments.run
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
