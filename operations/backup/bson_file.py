"""Files of BSON documents, compressed and hashed while they are written; read one by one."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from operations.backup.manifest import BadBackup

RAW: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)
"""Documents stay bytes: no type and no order of fields can change."""
_LEVEL: Final = 1
"""Four times as fast as level 6 for a fifth more bytes: MongoDB keeps a snapshot for a limited time."""
_CHUNK_BYTES: Final = 1 << 20
_LENGTH_BYTES: Final = 4
_OWNER_ONLY: Final = 0o600


class BsonWriter:
    """Writes a new file that only its owner can read; on leaving, it is on the disk."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self._compress = zlib.compressobj(_LEVEL, wbits=zlib.MAX_WBITS | 16)  # 16: as gzip
        self.documents = 0
        self.file_bytes = 0

    @property
    def sha256(self) -> str:
        """Of the file; complete after leaving."""
        return self._hash.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with self._file:
            self._append(self._compress.flush())
            self._file.flush()
            os.fsync(self._file.fileno())

    def write(self, batch: bytes) -> None:
        """Append documents that follow one another in `batch`."""
        self.documents += _count(batch)
        self._append(self._compress.compress(batch))

    def _append(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)
        self.file_bytes += len(data)


def _count(batch: bytes) -> int:
    count = at = 0
    while at < len(batch):
        at += int.from_bytes(batch[at : at + _LENGTH_BYTES], "little")
        count += 1
    return count


def read_documents(path: Path) -> Iterator[RawBSONDocument]:
    """Yield the documents of a file. Raises BadBackup."""
    try:
        with gzip.open(path) as file:
            stream: Any = file
            yield from decode_file_iter(stream, RAW)
    except (OSError, EOFError, zlib.error, InvalidBSON) as error:
        raise BadBackup(f"{path}: cannot be read: {error}") from None


def sha256_of(path: Path) -> str:
    """The hash of a file. Raises BadBackup."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise BadBackup(f"{path}: {error.strerror}") from None
    return digest.hexdigest()
