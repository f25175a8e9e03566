"""Auth in this process, on a port of its own, with a real database behind it.

Holds fixtures, too: a conftest.py imports those that its tests use.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from pydantic import SecretStr

from services.auth.app import assemble
from services.auth.settings import AuthSettings
from services.auth.signing.keyring import Key, create_key, load_keyring
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Document, Mongo
from shared.runtime.service import Component
from shared.runtime.settings import MongoSettings
from shared.runtime.site import serve
from shared.runtime.tasks import stop

EMAIL = "ann@example.com"
PASSWORD = "correct horse battery"
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
    components: Sequence[Component]

    async def ask(self, method: str, path: str, **kwargs: Any) -> Answer:
        async with self.http.request(method, self.url + path, **kwargs) as response:
            text = await response.text()
            body = json.loads(text) if text else None
            return Answer(response.status, text, body, response.headers)

    async def post(self, path: str, body: Any = None, token: str | None = None) -> Answer:
        return await self.ask("POST", path, json=body, headers=bearer(token))

    async def get(self, path: str, token: str | None = None) -> Answer:
        return await self.ask("GET", path, headers=bearer(token))

    async def signup(self, email: str, password: str) -> Answer:
        return await self.post("/auth/signup", {"email": email, "password": password})

    async def login(self, email: str, password: str, **more: Any) -> Answer:
        return await self.post("/auth/login", {"email": email, "password": password} | more)

    async def refresh(self, token: str) -> Answer:
        return await self.post("/auth/refresh", {"refresh_token": token})

    async def me(self, token: str) -> Answer:
        return await self.get("/auth/me", token)

    async def audit(self, **query: Any) -> list[Document]:
        """Entries of the audit log, the oldest first."""
        return await self.mongo.db["audit"].find(query).sort("_id", 1).to_list()

    async def events(self, **query: Any) -> list[str]:
        return [entry["event"] for entry in await self.audit(**query)]


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture
def key(tmp_path: Path) -> Key:
    create_key(tmp_path / "keys", SystemClock())
    return load_keyring(tmp_path / "keys", SystemClock(), publish_secs=0).keys[0]


@pytest.fixture
def settings(mongo_url: str, tmp_path: Path, key: Key) -> AuthSettings:
    settings = AuthSettings(
        keys_dir=tmp_path / "keys",
        pepper=SecretStr(PEPPER),
        nats_password=SecretStr("test-password"),
        mongo=MongoSettings(url=SecretStr(mongo_url), database=f"auth_{uuid4().hex}"),
    )
    # Weaker than any operator may choose: the tests are about everything else.
    return settings.model_copy(update={"bcrypt_cost": 4, "key_reload_secs": 0.2})


@asynccontextmanager
async def running(settings: AuthSettings) -> AsyncIterator[Auth]:
    """Auth with these settings, and a client of it; its components do not run by themselves."""
    readiness = Readiness("auth")
    async with (
        assemble(settings, readiness) as (app, components),
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        mongo = next(component for component in components if isinstance(component, Mongo))
        yield Auth(f"http://127.0.0.1:{port}", http, mongo, readiness, components)


@asynccontextmanager
async def working(auth: Auth) -> AsyncIterator[None]:
    """Its components run meanwhile: keys are read again, revocations announced."""
    works = [asyncio.create_task(component.run()) for component in auth.components]
    try:
        yield
        failed = [task for task in works if task.done()]
        assert failed == [], "a component ended"
    finally:
        await stop(works)


@pytest.fixture
async def auth(settings: AuthSettings) -> AsyncIterator[Auth]:
    async with running(settings) as auth:
        yield auth
        await auth.mongo.client.drop_database(auth.mongo.db.name)


@pytest.fixture
async def ann(auth: Auth) -> dict[str, Any]:
    """Ann has signed up and logged in: the answer to her login."""
    assert (await auth.signup(EMAIL, PASSWORD)).status == 201
    body: dict[str, Any] = (await auth.login(EMAIL, PASSWORD)).body
    return body
