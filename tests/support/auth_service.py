"""Auth in this process, on a port of its own, with a real database.

A conftest.py imports the fixtures of this module that its tests use.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
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
from shared.runtime.site import serve
from tests.support.http import Reply, read_reply
from tests.support.patience import PATIENCE_SECS
from tests.support.services import running_components
from tests.support.settings import RUNTIME, mongo_settings

EMAIL: Final = "ann@example.com"
PASSWORD: Final = "correct horse battery"
PEPPER: Final = "canary-pepper-" + "9c1f" * 8


@dataclass(frozen=True, slots=True)
class Auth:
    """The running service, and a client of it."""

    url: str
    http: aiohttp.ClientSession
    mongo: Mongo
    readiness: Readiness
    components: Sequence[Component]

    async def request(self, method: str, path: str, **kwargs: Any) -> Reply:
        async with self.http.request(method, self.url + path, **kwargs) as response:
            return await read_reply(response)

    async def post(self, path: str, body: Any = None, token: str | None = None) -> Reply:
        return await self.request("POST", path, json=body, headers=bearer(token))

    async def get(self, path: str, token: str | None = None) -> Reply:
        return await self.request("GET", path, headers=bearer(token))

    async def signup(self, email: str, password: str) -> Reply:
        return await self.post("/auth/signup", {"email": email, "password": password})

    async def login(self, email: str, password: str, **more: Any) -> Reply:
        return await self.post("/auth/login", {"email": email, "password": password} | more)

    async def refresh(self, token: str) -> Reply:
        return await self.post("/auth/refresh", {"refresh_token": token})

    async def me(self, token: str) -> Reply:
        return await self.get("/auth/me", token)

    async def audit(self, **query: Any) -> list[Document]:
        """Entries of the audit log, the oldest first."""
        return await self.mongo.db["audit"].find(query).sort("_id", 1).to_list()

    async def events(self, **query: Any) -> list[str]:
        """Names of the events in the audit log, the oldest first."""
        return [entry["event"] for entry in await self.audit(**query)]

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run its components: they read keys again and announce revocations."""
        return running_components(self.components)


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """The key that auth signs with."""
    create_key(tmp_path / "keys", SystemClock())
    return load_keyring(tmp_path / "keys", SystemClock(), publish_secs=0).keys[0]


@pytest.fixture
def settings(mongo_url: str, tmp_path: Path, key: Key) -> AuthSettings:
    """Patient settings: what expires within a minute in production lasts longer here."""
    settings = AuthSettings(
        keys_dir=tmp_path / "keys",
        pepper=SecretStr(PEPPER),
        nats_password=SecretStr("test-password"),
        mongo=mongo_settings(mongo_url, f"auth_{uuid4().hex}"),
        runtime=RUNTIME,
        delay_base_secs=100.0,
    )
    # Outside the range that an operator may choose: hashes are cheap, and repeated refreshes are
    # accepted on a slow machine too.
    more = {"bcrypt_cost": 4, "key_reload_secs": 0.2, "refresh_grace_secs": PATIENCE_SECS}
    return settings.model_copy(update=more)


@asynccontextmanager
async def running_auth(settings: AuthSettings) -> AsyncIterator[Auth]:
    """Auth with these settings. Its components do not run, unless a test runs them."""
    readiness = Readiness("auth")
    async with (
        assemble(settings, readiness) as (app, components),
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        mongo = next(component for component in components if isinstance(component, Mongo))
        yield Auth(f"http://127.0.0.1:{port}", http, mongo, readiness, components)


@pytest.fixture
async def auth(settings: AuthSettings) -> AsyncIterator[Auth]:
    """Auth with an empty database."""
    async with running_auth(settings) as auth:
        yield auth


@pytest.fixture
async def ann(auth: Auth) -> dict[str, Any]:
    """The reply to the login of Ann, who has just signed up."""
    assert (await auth.signup(EMAIL, PASSWORD)).status == 201
    body: dict[str, Any] = (await auth.login(EMAIL, PASSWORD)).body
    return body
