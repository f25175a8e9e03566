"""All secrets, keys and certificates of a deployment, each a file; existing ones are kept."""

import os
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from operations.certificates import Certificate, create_authority, create_server_certificate
from operations.deployments import DATABASE_USERS, MONITOR_USER, Deployment
from operations.secret_files import NATS_PASSWORDS, PEPPER, generate_secret, write_private
from services.auth.signing.keyring import create_key
from services.trading.links.seal_keys import create_seal_key
from shared.runtime.clock import Clock

SIGNING_KEYS: Final = "signing-keys"
SEAL_KEYS: Final = "seal-keys"
UPSTOX: Final = "upstox"
_DIRECTORY_MODE: Final = 0o700


class SecretFolder:
    """A folder of secrets that is filled once: a second call creates only what is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.created: list[str] = []
        """Names of the files that this object has written."""

    def fill(self, deployment: Deployment, clock: Clock, now: datetime) -> None:
        """Create every missing file of the deployment. Raises OSError."""
        self._folder.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        for name in (*NATS_PASSWORDS, PEPPER, "grafana-admin-password"):
            self._text(name, generate_secret)
        # mongod accepts 6 to 1024 characters of base64.
        self._text("mongo-keyfile", lambda: secrets.token_hex(256))
        for user in DATABASE_USERS:
            password = self._text(f"{user}-mongo-password", generate_secret)
            url = deployment.mongo_url(user, password)
            self._text(f"{user}-mongo-url", partial(str, url))
        password = self._text(f"{MONITOR_USER}-mongo-password", generate_secret)
        url = deployment.mongo_url(MONITOR_USER, password, source="admin")
        self._text(f"{MONITOR_USER}-mongo-url", partial(str, url))
        self._certificates(deployment, now)
        self._key(SIGNING_KEYS, "*.pem", partial(create_key, clock=clock))
        self._key(SEAL_KEYS, "*.key", partial(create_seal_key, clock=clock))
        (self._folder / UPSTOX).mkdir(mode=_DIRECTORY_MODE, exist_ok=True)

    def _text(self, name: str, make: Callable[[], str]) -> str:
        path = self._folder / name
        if not path.exists():
            self._write(name, make().encode())
        return path.read_text().strip()

    def _certificates(self, deployment: Deployment, now: datetime) -> None:
        authority = self._pair("ca", lambda: create_authority(now))
        for server, names in deployment.certificates.items():
            make = partial(create_server_certificate, authority, names, now)
            pair = self._pair(server, make)
            # mongod reads certificate and key from one file.
            if server == "mongo" and not (self._folder / "mongo.pem").exists():
                self._write("mongo.pem", pair.certificate + pair.key)

    def _pair(self, name: str, make: Callable[[], Certificate]) -> Certificate:
        certificate, key = (self._folder / f"{name}.{suffix}" for suffix in ("crt", "key"))
        if not (certificate.exists() and key.exists()):
            made = make()
            self._write(certificate.name, made.certificate)
            self._write(key.name, made.key)
        return Certificate(certificate.read_bytes(), key.read_bytes())

    def _key(self, name: str, pattern: str, create: Callable[[Path], Path]) -> None:
        """Create the first key of a folder whose further ones are made by a rotation."""
        folder = self._folder / name
        if not any(folder.glob(pattern)):
            self.created.append(f"{name}/{create(folder).name}")

    def _write(self, name: str, data: bytes) -> None:
        write_private(self._folder / name, data)
        self.created.append(name)


def give_to(folder: Path, user_id: int, group_id: int) -> None:
    """Make a user the owner of the folder and of all files in it. Raises OSError."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user_id, group_id)
