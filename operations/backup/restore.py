"""Puts a backup into a database, beside the data that is there until everything is loaded."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from operations.backup.bson_file import RAW, read_documents, sha256_of
from operations.backup.manifest import (
    BadBackup,
    CollectionBackup,
    Manifest,
    from_extended_json,
    read_manifest,
)
from operations.backup.snapshot import STAGING
from services.persister.storage.documents import CHECKPOINTS
from services.trading.store.documents import PARTITIONS
from shared.errors import TradeDadError
from shared.runtime.mongo import Document
from shared.runtime.mongo_command import command_client
from shared.runtime.settings import MongoSettings

_MAX_BATCH_BYTES: Final = 8 << 20
_MAX_BATCH_DOCUMENTS: Final = 10_000
_MAJORITY: Final = WriteConcern(w="majority", j=True, wtimeout=60_000)
_GUARDED: Final = (CHECKPOINTS, PARTITIONS)
"""Collections whose documents hold the epoch of a leader."""
EPOCHS_ADDED: Final = 1_000_000
"""More than leaders can have followed one another since the backup: a process that still runs on
the data from before the restore can store nothing."""
_NOT_OPTIONS: Final = ("ns",)


class RestoreRefused(TradeDadError):
    """The target holds data; the message says how to replace it."""


def verify_backup(folder: Path) -> Manifest:
    """Check every file against the manifest, and return it. Raises BadBackup."""
    manifest = read_manifest(folder)
    for collection in manifest.collections:
        path = folder / collection.file
        if sha256_of(path) != collection.sha256:
            raise BadBackup(f"{path}: sha256: is not that of the manifest; the file was changed")
    return manifest


def restore_backup(
    settings: MongoSettings,
    folder: Path,
    *,
    replace: bool,
    on_collection: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Verify the backup, and make the database what it was then.

    Data is written beside the old one and takes its place at the end, so a restore that fails
    before that changes nothing. Collections take their places one after the other: if that is
    interrupted, the database has data of both, until the restore is repeated with `replace`. Raises BadBackup, RestoreRefused or DatabaseFailed.
    """
    manifest = verify_backup(folder)
    with command_client(settings) as client:
        database = client.get_database(settings.database, write_concern=_MAJORITY)
        present = _own_collections(database)
        if present and not replace:
            raise RestoreRefused(
                f"TRADEDAD_MONGO_DATABASE: {settings.database} has collections "
                f"({', '.join(present[:3])}, ...): restore into an empty database, or replace "
                "all its data with --replace"
            )
        for name in database.list_collection_names(filter={"name": {"$regex": f"^{STAGING}"}}):
            database.drop_collection(name)
        for collection in manifest.collections:
            on_collection(collection.name)
            _load(database, collection, folder)
        _take_place(client, database, manifest, present)
    return manifest


def _own_collections(database: Database[Document]) -> list[str]:
    names = database.list_collection_names()
    return sorted(name for name in names if not name.startswith(("system.", STAGING)))


def _load(database: Database[Document], saved: CollectionBackup, folder: Path) -> None:
    name = STAGING + saved.name
    database.command({"create": name, **from_extended_json(saved.options)})
    target = cast("Collection[RawBSONDocument]", database.get_collection(name, codec_options=RAW))
    for batch in _batches(read_documents(folder / saved.file)):
        try:
            # An older version's document may break a rule of today, and was valid nevertheless.
            target.insert_many(batch, ordered=False, bypass_document_validation=True)
        except BulkWriteError as error:
            code = error.details["writeErrors"][0]["code"]
            raise BadBackup(f"{saved.file}: MongoDB refuses a document (code {code})") from None
    stored = target.count_documents({})
    if stored != saved.documents:
        raise BadBackup(f"{saved.file}: documents: {stored} stored, {saved.documents} in manifest")
    if saved.name in _GUARDED:
        target.update_many(
            {"epoch": {"$exists": True}},
            {"$inc": {"epoch": Int64(EPOCHS_ADDED)}},
            bypass_document_validation=True,
        )
    # After the data: faster, and an index of expiry deletes nothing before it was counted.
    if saved.indexes:
        indexes = [_index(from_extended_json(index)) for index in saved.indexes]
        database.command({"createIndexes": name, "indexes": indexes})


def _index(index: Document) -> Document:
    return {name: value for name, value in index.items() if name not in _NOT_OPTIONS}


def _batches(documents: Iterator[RawBSONDocument]) -> Iterator[list[RawBSONDocument]]:
    batch: list[RawBSONDocument] = []
    size_bytes = 0
    for document in documents:
        batch.append(document)
        size_bytes += len(document.raw)
        if size_bytes >= _MAX_BATCH_BYTES or len(batch) >= _MAX_BATCH_DOCUMENTS:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _take_place(
    client: MongoClient[Document],
    database: Database[Document],
    manifest: Manifest,
    present: list[str],
) -> None:
    for collection in manifest.collections:
        client.admin.command(
            {
                "renameCollection": f"{database.name}.{STAGING}{collection.name}",
                "to": f"{database.name}.{collection.name}",
                "dropTarget": True,
            }
        )
    for name in set(present) - {collection.name for collection in manifest.collections}:
        database.drop_collection(name)
