"""All commands for operators: ``python -m operations``; each level has ``--help``."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from operations import passwords
from operations.backup import commands as backup_commands
from operations.backup.folders import BackupRuns
from operations.deployments import DATABASE_USERS, DEPLOYMENTS, MONITOR_USER
from operations.first_secrets import SecretFolder, give_to
from operations.kustomization import write_kustomization
from operations.mongo_setup import MongoSetup, MongoSetupFailed
from services.auth import commands as auth_commands
from services.auth import rotate_keys
from services.persister import backfill, export, reset_checkpoint
from services.trading import reset_market, rotate_seal_keys
from shared.errors import ConfigError, TradeDadError, Unavailable
from shared.runtime import exit_codes, logs
from shared.runtime.clock import SystemClock
from shared.runtime.command_line import add_command, add_group
from shared.runtime.mongo_command import DatabaseFailed
from shared.runtime.settings import LogSettings

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
    """Initiate the replica set, and create the users of services, figures and backups."""
    folder: Path = arguments.secrets
    try:
        passwords = {
            user: (folder / f"{user}-mongo-password").read_text().strip() for user in DATABASE_USERS
        }
        monitor_password = (folder / f"{MONITOR_USER}-mongo-password").read_text().strip()
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
        setup = MongoSetup(members, key, passwords, roles, options, monitor_password)
        setup.run(arguments.timeout_secs)
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
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="group")
    auth_commands.add_groups(commands)
    keys = add_group(commands, "keys", "Rotation of keys and passwords.")
    add_command(keys, "rotate-signing", rotate_keys.run, rotate_keys.run.__doc__)
    sealing = rotate_seal_keys.run
    rotate_seal_keys.add_arguments(add_command(keys, "rotate-sealing", sealing, sealing.__doc__))
    passwords.add_arguments(
        add_command(keys, "rotate-passwords", passwords.run, passwords.run.__doc__)
    )
    bars = add_group(commands, "bars", "Stored five-minute bars.")
    export.add_arguments(add_command(bars, "export", export.run, export.run.__doc__))
    backfill.add_arguments(add_command(bars, "backfill", backfill.run, backfill.run.__doc__))
    add_command(bars, "reset-checkpoint", reset_checkpoint.run, reset_checkpoint.run.__doc__)
    paper = add_group(commands, "paper", "The paper broker.")
    add_command(paper, "reset-market", reset_market.run, reset_market.run.__doc__)
    backup_commands.add_groups(commands)

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an error is printed with its address, setting or file. Returns the exit code."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ConfigError as error:
        return _failed("\n".join(error.problems), exit_codes.CONFIG)
    except (BackupRuns, DatabaseFailed, Unavailable) as error:
        return _failed(f"{error}; the command can be repeated", exit_codes.TEMPFAIL)
    except TradeDadError as error:
        return _failed(str(error), exit_codes.FAILED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror}", exit_codes.FAILED)


def _failed(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    # Commands report errors themselves; the log would repeat them.
    logs.configure(LogSettings(level="error"), "operations")
    sys.exit(main())
