"""Random HTTP requests of an administrator to auth, beside another user's requests."""

from pathlib import Path
from typing import Any, Final

import aiohttp

from embedded.ports import HOST, free_ports
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.fuzz.http_requests import HttpEdge, answer_to, documented_operations, is_internal_error
from tests.fuzz.rounds import rounds
from tests.fuzz.tracebacks import tracebacks
from tests.support.auth_service import EMAIL, PASSWORD, PEPPER, bearer
from tests.support.builders import KEY
from tests.support.processes import service_process
from tests.support.servers import PASSWORD as NATS_PASSWORD
from tests.support.servers import NatsServer

_ROUNDS: Final = 60
_OTHER: Final = {"email": "bob@example.com", "password": PASSWORD}
_AUTH: Final = HttpEdge(
    operations=documented_operations("auth"),
    paths=("/auth/login", "/auth/signup", "/auth/openapi.json"),
    parameters=("after", "limit"),
    values=(EMAIL, "10", "ann", "user-1"),
    bodies=(
        _OTHER,
        _OTHER | {"cookie": True, "device_token": "x"},
        {"refresh_token": "x"},
        {"password": PASSWORD},
        {"current_password": PASSWORD, "new_password": f"new {PASSWORD}"},
        {"name": "Banks", "keys": [KEY], "revision": 0},
        {"list_ids": ["user-1"]},
    ),
)  # fmt: skip
_UNLIMITED: Final = {
    f"TRADEDAD_AUTH_{name}": "1000000000"
    for name in ("FREE_ACCOUNT_ATTEMPTS", "FREE_ADDRESS_ATTEMPTS", "FREE_SIGNUPS")
}


class _Users:
    """Creates users of auth, and sends right requests of theirs."""

    def __init__(self, http: aiohttp.ClientSession, url: str, mongo: Mongo) -> None:
        self._http = http
        self._url = url
        self._mongo = mongo
        self._administrators = 0

    async def log_in(self, email: str, *, is_new: bool = True) -> str:
        """The access token of a user, who signs up first if new."""
        body = {"email": email, "password": PASSWORD}
        if is_new:
            assert (await self._post("/auth/signup", body))[0] == 201
        status, tokens = await self._post("/auth/login", body)
        assert status == 200
        return str(tokens["access_token"])

    async def new_administrator(self) -> str:
        """The access token of one more administrator."""
        self._administrators += 1
        email = f"administrator-{self._administrators}@example.com"
        await self.log_in(email)
        users = self._mongo.db["users"]
        await users.update_one({"email": email}, {"$set": {"roles": ["admin"]}})
        return await self.log_in(email, is_new=False)

    async def has_session(self, token: str) -> bool:
        """Whether the session of `token` goes on."""
        async with self._http.get(f"{self._url}/auth/me", headers=bearer(token)) as response:
            assert response.status in (200, 401)
            return response.status == 200

    async def _post(self, path: str, body: dict[str, str]) -> tuple[int, Any]:
        async with self._http.post(self._url + path, json=body) as response:
            return response.status, await response.json()


async def test_no_request_ends_auth_or_is_an_internal_error(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    environment = _UNLIMITED | {
        "TRADEDAD_AUTH_PORT": str(port),
        "TRADEDAD_AUTH_KEYS_DIR": str(tmp_path / "keys"),
        "TRADEDAD_AUTH_CREATE_MISSING_KEY": "true",
        "TRADEDAD_AUTH_BCRYPT_COST": "10",
        "TRADEDAD_AUTH_PEPPER": PEPPER,
        "TRADEDAD_AUTH_NATS_PASSWORD": NATS_PASSWORD,
        "TRADEDAD_NATS_URL": nats.url,
        "TRADEDAD_MONGO_URL": mongo_settings.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": mongo_settings.database,
    }
    async with service_process("auth", environment) as auth, aiohttp.ClientSession() as http:
        users = _Users(http, f"http://{HOST}:{port}", mongo)
        ann, token = await users.log_in(EMAIL), await users.new_administrator()
        pid = auth.pid
        for source in rounds(_ROUNDS):
            request = _AUTH.request(source, token)
            answer = await answer_to(port, request)
            assert not is_internal_error(answer), (request, answer)
            assert token.encode() not in answer
            assert await users.has_session(ann)
            if not await users.has_session(token):  # the request was a logout, for example
                token = await users.new_administrator()
        await users.log_in(EMAIL, is_new=False)
        assert auth.pid == pid
        assert auth.is_running
        assert not (found := tracebacks(auth.log())), found
