"""The group `backup`: take, verify and restore, and an archive of keys."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from operations.backup.folders import KEPT, delete_old
from operations.backup.key_archive import save_keys
from operations.backup.manifest import Manifest
from operations.backup.restore import restore_backup, verify_backup
from operations.backup.snapshot import take_backup
from shared.runtime import exit_codes
from shared.runtime.command_line import Groups, add_command, add_group
from shared.runtime.settings import MongoSettings, load

_MOST_DAYS: Final = 36_500


def add_groups(groups: Groups) -> None:
    """Add the group. It needs TRADEDAD_MONGO_URL, of a user who may read or write everything."""
    group = add_group(groups, "backup", "Backups of the database and of keys, and their restore.")
    command = add_command(group, "take", _take, _take.__doc__)
    command.add_argument("folder", type=Path, help="new folder of the backup")
    command.add_argument(
        "--keep-days",
        type=_days,
        metavar="DAYS",
        help="first delete the backups of the database beside it that are older, except "
        f"the {KEPT} newest; default: delete none",
    )
    command = add_command(group, "verify", _verify, _verify.__doc__)
    command.add_argument("folder", type=Path, help="folder of a backup")
    command = add_command(group, "restore", _restore, _restore.__doc__)
    command.add_argument("folder", type=Path, help="folder of a backup")
    command.add_argument(
        "--replace", action="store_true", help="delete what the database holds at the end"
    )
    command = add_command(group, "keys", _keys, _keys.__doc__)
    command.add_argument("archive", type=Path, help="new file, such as keys.tar.gz")
    command.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="folders of keys and secrets"
    )


def _take(arguments: argparse.Namespace) -> int:
    """Save the database as of one moment, while services run."""
    settings = load(MongoSettings)
    if arguments.keep_days is not None:
        # Before, so that a full disk has space again: no backup that stays depends on the new one.
        now = datetime.now(UTC)
        delete_old(arguments.folder, settings.database, arguments.keep_days, now, _report)
    manifest = take_backup(settings, arguments.folder, _report_collection)
    print(f"{arguments.folder}: {_summary(manifest)}")
    return exit_codes.OK


def _verify(arguments: argparse.Namespace) -> int:
    """Check every file of a backup against its hash; needs no database."""
    print(f"{arguments.folder} is complete: {_summary(verify_backup(arguments.folder))}")
    return exit_codes.OK


def _restore(arguments: argparse.Namespace) -> int:
    """Verify a backup, and put it into an empty database. Stop all services before."""
    settings = load(MongoSettings)
    manifest = restore_backup(
        settings, arguments.folder, replace=arguments.replace, on_collection=_report_collection
    )
    print(f"{settings.database} is restored: {_summary(manifest)}")
    return exit_codes.OK


def _keys(arguments: argparse.Namespace) -> int:
    """Save folders of keys and secrets in an archive; keep it apart from the database's backup."""
    count = save_keys(arguments.archive, arguments.folders)
    print(f"{arguments.archive}: {count} files")
    return exit_codes.OK


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to {_MOST_DAYS}")
    return int(text)


def _report(line: str) -> None:
    print(line, file=sys.stderr)


def _report_collection(name: str) -> None:
    _report(f"{name} ...")


def _summary(manifest: Manifest) -> str:
    at = f"{manifest.taken_at:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"{manifest.documents} documents of {len(manifest.collections)} collections, "
        f"{manifest.file_bytes} bytes, of {at}"
    )
