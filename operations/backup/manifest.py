"""The manifest of a backup: what it holds, of which moment, and the hash of each file."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from bson import json_util
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from operations.secret_files import write_private
from shared.errors import TradeDadError
from shared.runtime.mongo import Document

MANIFEST: Final = "manifest.json"
SUFFIX: Final = ".bson.gz"
_MAX_BYTES: Final = 16 << 20
_NAME: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}$"


class BadBackup(TradeDadError):
    """A backup cannot be used; the message names file or field, and the rule."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CollectionBackup(_Part):
    """One collection."""

    name: Annotated[str, Field(pattern=_NAME)]
    documents: Annotated[int, Field(ge=0)]
    file_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the compressed file: `sha256sum` gives the same."""
    options: dict[str, Any]
    """As listCollections reports them, in MongoDB's extended JSON."""
    indexes: list[dict[str, Any]]
    """As listIndexes reports them, without that of `_id`, in the same form."""

    @property
    def file(self) -> str:
        """Name of the file in the folder of the backup."""
        return self.name + SUFFIX


class Manifest(_Part):
    """A whole backup."""

    format: Literal[1] = 1
    taken_at: datetime
    cluster_time: tuple[int, int]
    """The moment of all documents: seconds since 1970 and a count within the second."""
    database: str
    mongodb_version: str
    tradedad_version: str
    collections: list[CollectionBackup]

    @property
    def documents(self) -> int:
        """Number of documents in all collections."""
        return sum(collection.documents for collection in self.collections)

    @property
    def file_bytes(self) -> int:
        """Size of all files."""
        return sum(collection.file_bytes for collection in self.collections)


def to_extended_json(document: Document) -> dict[str, Any]:
    """A document of MongoDB as plain JSON that keeps types."""
    text = json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS)
    plain: dict[str, Any] = json.loads(text)
    return plain


def from_extended_json(plain: dict[str, Any]) -> Document:
    """Inverse of `to_extended_json`."""
    document: Document = json_util.loads(
        json.dumps(plain), json_options=json_util.CANONICAL_JSON_OPTIONS
    )
    return document


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest. Raises OSError."""
    write_private(folder / MANIFEST, f"{manifest.model_dump_json(indent=2)}\n".encode())


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup. Raises BadBackup."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadBackup(f"{path}: is larger than {_MAX_BYTES} bytes")
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadBackup(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        detail = error.errors()[0]
        field = ".".join(str(part) for part in detail["loc"]) or "the text"
        raise BadBackup(f"{path}: {field}: {detail['msg']}") from None
    names = [collection.name for collection in manifest.collections]
    if len(set(names)) < len(names):
        raise BadBackup(f"{path}: collections: a name occurs twice")
    return manifest
