"""Saves a database as it was at one moment, while it is written to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, cast

from bson import Timestamp
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from operations.backup.bson_file import RAW, BsonWriter
from operations.backup.folders import BackupFailed, empty, new_folder
from operations.backup.manifest import (
    CollectionBackup,
    Manifest,
    to_extended_json,
    write_manifest,
)
from shared.runtime.build_info import DISTRIBUTION
from shared.runtime.mongo import Document
from shared.runtime.mongo_command import command_client
from shared.runtime.settings import MongoSettings

STAGING: Final = "restoring."
"""Prefix of collections that a restore has not finished."""
_PARAMETER: Final = "minSnapshotHistoryWindowInSeconds"
_SNAPSHOT_TOO_OLD: Final = 239
_SNAPSHOT_UNAVAILABLE: Final = 246
_ATTEMPTS: Final = 3
_ID_INDEX: Final = "_id_"


class _CollectionsChanged(Exception):
    """A collection was dropped or replaced: MongoDB then reads nothing and reports no error."""


class _SnapshotTime(CommandListener):
    """The time of a session's snapshot, which the driver keeps to itself."""

    def __init__(self) -> None:
        self.time: Timestamp | None = None

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing to note."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Note the time that the server has chosen."""
        reply: Any = event.reply
        if event.command_name == "find" and "atClusterTime" in reply.get("cursor", {}):
            self.time = reply["cursor"]["atClusterTime"]

    def failed(self, event: CommandFailedEvent) -> None:
        """The driver raises it."""


def take_backup(
    settings: MongoSettings, folder: Path, on_collection: Callable[[str], None] = lambda _: None
) -> Manifest:
    """Write all collections, as of one moment, to the new folder.

    `on_collection` is called with the name of each before it is read. The folder exists only when
    the backup is complete. Raises BackupFailed, BackupRuns, DatabaseFailed or OSError.
    """
    snapshot_time = _SnapshotTime()
    with new_folder(folder) as partial:
        with command_client(settings, [snapshot_time]) as client:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    manifest = _read_all(
                        client, settings.database, partial, snapshot_time, on_collection
                    )
                    break
                except (OperationFailure, _CollectionsChanged) as error:
                    _explain(error, is_last=attempt == _ATTEMPTS)
                    empty(partial)
        write_manifest(partial, manifest)
    return manifest


def _explain(error: OperationFailure | _CollectionsChanged, *, is_last: bool) -> None:
    """Return if another attempt may succeed. Raises BackupFailed, or the error."""
    code = error.code if isinstance(error, OperationFailure) else _SNAPSHOT_UNAVAILABLE
    if code == _SNAPSHOT_TOO_OLD:
        raise BackupFailed(
            "MongoDB no longer has the moment of the backup: reading all took longer than "
            f"{_PARAMETER}. Set it to more seconds on every member (db.adminCommand("
            f"{{setParameter: 1, {_PARAMETER}: 3600}})), or use mongodump --oplog"
        ) from None
    if code != _SNAPSHOT_UNAVAILABLE:
        raise error
    if is_last:
        raise BackupFailed(
            "collections were dropped, made or renamed during each attempt; take the backup again "
            "when no restore runs"
        ) from None


def _read_all(
    client: MongoClient[Document],
    name: str,
    folder: Path,
    snapshot_time: _SnapshotTime,
    on_collection: Callable[[str], None],
) -> Manifest:
    database = client.get_database(name)
    described = _collections(database)
    if not described:
        raise BackupFailed(f"TRADEDAD_MONGO_DATABASE: {name} has no collections")
    with client.start_session(snapshot=True) as session:
        # Fixes the moment for all reads of the session.
        database[described[0]["name"]].find_one({}, {"_id": 1}, session=session)
        collections = []
        for one in described:
            on_collection(one["name"])
            collections.append(_read_collection(database, one, folder, session))
    if not _identities(described).items() <= _identities(_collections(database)).items():
        raise _CollectionsChanged
    time = snapshot_time.time
    if time is None:
        raise BackupFailed("MongoDB does not tell the moment of its snapshot: it is too old")
    return Manifest(
        taken_at=datetime.now(UTC),
        cluster_time=(time.time, time.inc),
        database=name,
        mongodb_version=client.server_info()["version"],
        tradedad_version=_tradedad_version(),
        collections=collections,
    )


def _collections(database: Database[Document]) -> list[Document]:
    listed = database.list_collections(filter={"type": "collection"})
    found = [dict(one) for one in listed if not one["name"].startswith(("system.", STAGING))]
    return sorted(found, key=lambda one: str(one["name"]))


def _identities(described: list[Document]) -> dict[str, Any]:
    return {one["name"]: one["info"]["uuid"] for one in described}


def _read_collection(
    database: Database[Document], described: Document, folder: Path, session: ClientSession
) -> CollectionBackup:
    name = described["name"]
    indexes = [
        to_extended_json(dict(index))
        for index in database[name].list_indexes()
        if index["name"] != _ID_INDEX
    ]
    raw = database.get_collection(name, codec_options=RAW)
    with BsonWriter(folder / f"{name}.bson.gz") as writer:
        # The driver's types call a batch a document; it is bytes.
        for batch in cast("Iterator[bytes]", raw.find_raw_batches({}, session=session)):
            writer.write(batch)
    return CollectionBackup(
        name=name,
        documents=writer.documents,
        file_bytes=writer.file_bytes,
        sha256=writer.sha256,
        options=to_extended_json(described["options"]),
        indexes=indexes,
    )


def _tradedad_version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # the source tree is on the path without an installation
        return "unknown"
