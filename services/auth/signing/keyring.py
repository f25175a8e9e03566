"""Creates and loads the signing keys on disk; decides when each is published and signs.

Each key is an Ed25519 key in a file ``<kid>.pem`` (PKCS #8). A name begins with the time of the
key's creation, so that names sort by age. A new key is published at once. It signs only when
every verifier that caches the public keys must have fetched it. An old key stays published
until the last token that it signed has expired. A rotation therefore invalidates no token, and
replicas that read the same directory agree without communication.
"""

import base64
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from services.auth.settings import MAX_ACCESS_TTL_SECS
from shared.errors import ConfigError
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.web.verifier import ALGORITHM

DIRECTORY_VARIABLE: Final = "TRADEDAD_AUTH_KEYS_DIR"
CREATE_VARIABLE: Final = "TRADEDAD_AUTH_CREATE_MISSING_KEY"
_SUFFIX: Final = ".pem"
_SECONDS_FORMAT: Final = "%Y%m%dT%H%M%S"
_CREATED_AT: Final = re.compile(r"(\d{8}T\d{6})(\d{3})Z")
# The longest lifetime of a token that the settings allow, and 60 s for clocks that differ.
_MAX_TOKEN_LIFETIME_MS: Final = (MAX_ACCESS_TTL_SECS + 60) * 1_000
_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair."""

    kid: str
    private: Ed25519PrivateKey = field(repr=False)
    created_at_ms: int
    """Unix time in ms: from the name, or from the file's modification time if it has none."""

    @property
    def public(self) -> Ed25519PublicKey:
        return self.private.public_key()


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys of the directory, oldest first; there is at least one.

    A key is published for `publish_secs` before it signs.
    """

    keys: tuple[Key, ...]
    publish_secs: float

    def signing(self, now_ms: int) -> Key:
        """Return the key to sign with."""
        return next(
            (key for key in reversed(self.keys) if self.signs_from_ms(key) <= now_ms), self.keys[0]
        )

    def published(self, now_ms: int) -> list[Key]:
        """Return the keys that may have signed a valid token, or that will sign soon."""
        return [key for key in self.keys if not self.is_retired(key, now_ms)]

    def signs_from_ms(self, key: Key) -> int:
        """Return when a key begins to sign, in Unix ms; 0 for the oldest key."""
        if key is self.keys[0]:
            return 0
        return key.created_at_ms + int(self.publish_secs * 1_000)

    def is_retired(self, key: Key, now_ms: int) -> bool:
        """Whether every token that `key` has signed has expired."""
        newer = [other for other in self.keys if other.kid > key.kid]
        return any(self.signs_from_ms(other) + _MAX_TOKEN_LIFETIME_MS < now_ms for other in newer)

    def jwks(self, now_ms: int) -> dict[str, list[dict[str, str]]]:
        """Return the JSON Web Key Set to publish (RFC 7517, RFC 8037), without private keys."""
        return {"keys": [_jwk(key) for key in self.published(now_ms)]}


def load_keyring(
    directory: Path, clock: Clock, *, publish_secs: float, create_missing: bool = False
) -> Keyring:
    """Read every key in `directory`; blocks on the disk.

    Raises ConfigError if there is none and `create_missing` is false, if a file is not an
    unencrypted Ed25519 key or its name begins with an impossible time, or if the directory
    cannot be read.
    """
    try:
        paths = _key_files(directory)
        if not paths and create_missing:
            paths = [create_key(directory, clock)]
        if not paths:
            problem = f"{DIRECTORY_VARIABLE}: {directory} contains no signing key (*{_SUFFIX}); "
            remedy = f"add one, or set {CREATE_VARIABLE}=true to create one at the start"
            raise ConfigError([problem + remedy])
        keys = tuple(Key(path.stem, _read_key(path), _created_at_ms(path)) for path in paths)
    except OSError as error:
        problem = f"{DIRECTORY_VARIABLE}: {error.filename or directory}: {error.strerror}"
        raise ConfigError([problem]) from None
    return Keyring(keys, publish_secs)


def create_key(directory: Path, clock: Clock) -> Path:
    """Create a key whose name sorts after every older one; blocks on the disk.

    The file is written completely or not at all.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    now_ms = clock.now_ms()
    created_at = to_datetime(now_ms).strftime(_SECONDS_FORMAT)
    path = directory / f"{created_at}{now_ms % 1_000:03}Z-{secrets.token_hex(4)}{_SUFFIX}"
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    draft = path.with_suffix(".draft")
    draft.touch(_OWNER_ONLY, exist_ok=False)
    try:
        with draft.open("wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(directory)
    return path


def _key_files(directory: Path) -> list[Path]:
    if not directory.exists():
        return []
    return sorted(path for path in directory.iterdir() if path.suffix == _SUFFIX)


def key_path(directory: Path, kid: str) -> Path:
    """Return the path of a key's file."""
    return directory / f"{kid}{_SUFFIX}"


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            [f"{DIRECTORY_VARIABLE}: {path} is not an unencrypted Ed25519 private key in PEM"]
        )
    return key


def _created_at_ms(path: Path) -> int:
    match = _CREATED_AT.match(path.stem)
    if match is None:
        return path.stat().st_mtime_ns // 1_000_000
    try:
        seconds = datetime.strptime(match[1], _SECONDS_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise ConfigError(
            [f"{DIRECTORY_VARIABLE}: {path}: the name begins with a time that does not exist"]
        ) from None
    return int(seconds.timestamp()) * 1_000 + int(match[2])


def _jwk(key: Key) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public.public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key.kid, "alg": ALGORITHM, "use": "sig"}


def _sync(directory: Path) -> None:
    # A new file name is durable only after its directory was synchronised.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
