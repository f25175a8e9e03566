"""Auth in this process, on a port of its own, with a real database behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from pydantic import SecretStr

from services.auth.app import assemble
from services.auth.keyring import Keyring, create_key, load_keyring
from services.auth.settings import AuthSettings
from shared.clock import SystemClock
from shared.health import Readiness, serve
from shared.mongo import Mongo
from shared.settings import MongoSettings

PEPPER = "canary-pepper-" + "9c1f" * 8


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    text: str
    body: Any
    headers: Any


@dataclass(frozen=True, slots=True)
class Auth:
    """The running service and a client of it."""

    url: str
    http: aiohttp.ClientSession
    mongo: Mongo
    readiness: Readiness

    async def ask(self, method: str, path: str, **kwargs: Any) -> Answer:
        async with self.http.request(method, self.url + path, **kwargs) as response:
            text = await response.text()
            return Answer(
                response.status, text, await response.json(content_type=None), response.headers
            )

    async def signup(self, email: str, password: str) -> Answer:
        return await self.ask("POST", "/auth/signup", json={"email": email, "password": password})

    async def login(self, email: str, password: str) -> Answer:
        return await self.ask("POST", "/auth/login", json={"email": email, "password": password})

    async def me(self, token: str) -> Answer:
        return await self.ask("GET", "/auth/me", headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_key(tmp_path / "keys", SystemClock())
    return load_keyring(tmp_path / "keys", SystemClock(), create_missing=False)


@pytest.fixture
def settings(mongo_url: str, tmp_path: Path, keyring: Keyring) -> AuthSettings:
    return AuthSettings(
        keys_dir=tmp_path / "keys",
        pepper=SecretStr(PEPPER),
        nats_password=SecretStr("test-password"),
        bcrypt_cost=10,
        mongo=MongoSettings(url=SecretStr(mongo_url), database=f"auth_{uuid4().hex}"),
    )


@pytest.fixture
async def auth(settings: AuthSettings) -> AsyncIterator[Auth]:
    readiness = Readiness("auth")
    async with (
        assemble(settings, readiness) as (app, mongo),
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as http,
    ):
        yield Auth(f"http://127.0.0.1:{port}", http, mongo, readiness)
        await mongo.client.drop_database(mongo.db.name)
