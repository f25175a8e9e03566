"""The signing keys on disk.

Each is an Ed25519 key in ``<kid>.pem`` (PKCS #8). Names sort by age: the last one signs,
all are published, so that tokens signed before a rotation stay good.
"""

import base64
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.clock import Clock
from shared.errors import ConfigError
from shared.verifier import ALGORITHM

DIRECTORY_VARIABLE: Final = "TRADEDAD_AUTH_KEYS_DIR"
CREATE_VARIABLE: Final = "TRADEDAD_AUTH_CREATE_MISSING_KEY"
_SUFFIX: Final = ".pem"
_OWNER_ONLY: Final = stat.S_IRUSR | stat.S_IWUSR


@dataclass(frozen=True, slots=True)
class Keyring:
    """The key that signs, and the public half of every key."""

    signing_kid: str
    signing_key: Ed25519PrivateKey = field(repr=False)
    public_keys: Mapping[str, Ed25519PublicKey]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The JSON Web Key Set to publish (RFC 7517, 8037); public halves only."""
        return {"keys": [_jwk(kid, key) for kid, key in self.public_keys.items()]}


def load_keyring(directory: Path, clock: Clock, *, create_missing: bool) -> Keyring:
    """Read every key in `directory`; blocks on the disk.

    Raises ConfigError if there is none and `create_missing` is false, or if a file is
    not one of our keys.
    """
    try:
        paths = _key_files(directory)
        if not paths and create_missing:
            paths = [create_key(directory, clock)]
        if not paths:
            problem = f"{DIRECTORY_VARIABLE}: {directory} holds no signing key (*{_SUFFIX}); "
            remedy = f"put one there, or set {CREATE_VARIABLE}=true to have one made"
            raise ConfigError([problem + remedy])
        keys = {path.stem: _read_key(path) for path in paths}
    except OSError as error:
        problem = f"{DIRECTORY_VARIABLE}: {error.filename or directory}: {error.strerror}"
        raise ConfigError([problem]) from None
    newest = max(keys)
    return Keyring(newest, keys[newest], {kid: key.public_key() for kid, key in keys.items()})


def create_key(directory: Path, clock: Clock) -> Path:
    """Make a key that sorts after every older one; whole or not there; blocks on the disk."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    now_ms = clock.now_ms()
    made_at = datetime.fromtimestamp(now_ms // 1_000, UTC).strftime("%Y%m%dT%H%M%S")
    path = directory / f"{made_at}{now_ms % 1_000:03}Z-{secrets.token_hex(4)}{_SUFFIX}"
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


def _jwk(kid: str, key: Ed25519PublicKey) -> dict[str, Any]:
    x = base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": ALGORITHM, "use": "sig"}


def _sync(directory: Path) -> None:
    # The new name is durable only once its directory is.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
