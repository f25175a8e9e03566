"""A file of documents gives back the bytes that were written, and shows each damage."""

import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64, ObjectId

from operations.backup.bson_file import BsonWriter, read_documents, sha256_of
from operations.backup.manifest import BadBackup

DOCUMENTS: list[dict[str, Any]] = [
    {"_id": ObjectId(), "n": Int64(1), "m": 1, "price": Decimal128("1400.0500")},
    {"z": None, "a": datetime(2026, 11, 23, tzinfo=UTC), "_id": "x|1", "raw": b"\0\1"},
    {"_id": 3, "nested": {"b": [1.5, {"c": True}]}},
]
ENCODED = [bson.encode(document) for document in DOCUMENTS]


def write(path: Path) -> BsonWriter:
    with BsonWriter(path) as writer:
        writer.write(ENCODED[0])
        writer.write(b"")
        writer.write(ENCODED[1] + ENCODED[2])
    return writer


def test_documents_come_back_as_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "one.bson.gz"
    writer = write(path)
    assert [document.raw for document in read_documents(path)] == ENCODED
    assert (writer.documents, writer.file_bytes) == (3, path.stat().st_size)
    assert path.stat().st_mode & 0o077 == 0


def test_the_hash_is_that_of_the_file_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "one.bson.gz"
    writer = write(path)
    assert writer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == sha256_of(path)
    assert gzip.decompress(path.read_bytes()) == b"".join(ENCODED)


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "one.bson.gz"
    path.write_text("kept")
    with pytest.raises(FileExistsError):
        BsonWriter(path)
    assert path.read_text() == "kept"


@pytest.mark.parametrize("damage", ["cut", "not gzip", "not bson", "missing"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "one.bson.gz"
    write(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "not gzip":
        path.write_bytes(b"text")
    elif damage == "not bson":
        path.write_bytes(gzip.compress(b"\xff\xff\xff\x7f" + bytes(20)))
    else:
        path.unlink()
    with pytest.raises(BadBackup, match=r"one\.bson\.gz"):
        list(read_documents(path))
