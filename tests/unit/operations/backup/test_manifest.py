"""A manifest is read as it was written, and one that breaks a rule is refused with its field."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Int64
from pydantic import BaseModel

from operations.backup.manifest import (
    MANIFEST,
    BadBackup,
    CollectionBackup,
    Manifest,
    from_extended_json,
    read_manifest,
    to_extended_json,
    write_manifest,
)

USERS = CollectionBackup(
    name="users", documents=2, file_bytes=90, sha256="0" * 64, options={}, indexes=[]
)
WHOLE = Manifest(
    taken_at=datetime(2026, 11, 29, tzinfo=UTC),
    cluster_time=(1_764_374_400, 3),
    database="tradedad",
    mongodb_version="7.0.4",
    tradedad_version="0.1.0",
    collections=[USERS],
)


def changed(path: Path, **fields: Any) -> Path:
    """A folder with a manifest of which some fields are others."""
    write_manifest(path, WHOLE)
    plain = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(plain | fields))
    return path


def plain(part: BaseModel, **fields: Any) -> Any:
    return json.loads(part.model_dump_json()) | fields


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, WHOLE)
    assert read_manifest(tmp_path) == WHOLE


def test_options_and_indexes_keep_types_and_order() -> None:
    options = {
        "key": {"user_id": 1, "at": Int64(-1)},
        "partialFilterExpression": {"announced": {"$exists": True}},
        "validator": {"$jsonSchema": {"properties": {"hash": {"pattern": r"^v[0-9]+\$"}}}},
    }
    back = from_extended_json(to_extended_json(options))
    assert back == options
    assert list(back["key"]) == ["user_id", "at"]
    assert isinstance(back["key"]["at"], Int64)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"format": 2}, "format"),
        ({"collections": [plain(USERS, name="../users")]}, "collections.0.name"),
        ({"collections": [plain(USERS, sha256="short")]}, "collections.0.sha256"),
        ({"collections": [plain(USERS, documents=-1)]}, "collections.0.documents"),
        ({"collections": [plain(USERS), plain(USERS)]}, "a name occurs twice"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(
    tmp_path: Path, fields: dict[str, Any], expected: str
) -> None:
    with pytest.raises(BadBackup) as raised:
        read_manifest(changed(tmp_path, **fields))
    assert expected in str(raised.value)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BadBackup, match=MANIFEST):
        read_manifest(tmp_path)
