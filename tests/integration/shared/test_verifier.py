"""The issuer's keys over HTTP: rotated, withdrawn, away, silent and wrong."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from shared.errors import Unauthenticated, Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.site import serve
from shared.web.verifier import KeySet


class SetClock(SystemClock):
    """Monotonic time that passes when told."""

    def __init__(self) -> None:
        self.secs = 1_000.0

    def monotonic(self) -> float:
        return self.secs


def jwk(kid: str) -> dict[str, Any]:
    public = Ed25519PrivateKey.generate().public_key()
    return {**OKPAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "alg": "EdDSA", "use": "sig"}


@dataclass
class Issuer:
    """Publishes `keys`, or does whatever `answer` says; counts how often it is asked."""

    clock: SetClock = field(default_factory=SetClock)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk("one")])
    answer: web.Response | None = None
    silent: bool = False
    asked: int = 0

    async def jwks(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        return self.answer or web.json_response({"keys": self.keys})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def keys(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeySet]:
    monkeypatch.setattr("shared.web.verifier._FETCH_TIMEOUT_SECS", 0.3)
    app = web.Application()
    app.router.add_get("/jwks", issuer.jwks)
    async with (
        serve(app, "127.0.0.1", 0, shutdown_secs=0.1) as port,
        aiohttp.ClientSession() as http,
    ):
        yield KeySet(http, f"http://127.0.0.1:{port}/jwks", issuer.clock)


async def find_all(keys: KeySet, kids: list[str]) -> set[type[BaseException] | None]:
    found = await asyncio.gather(*(keys.find(kid) for kid in kids), return_exceptions=True)
    return {type(one) if isinstance(one, BaseException) else None for one in found}


async def test_a_crowd_that_comes_before_the_keys_fetches_them_once(
    issuer: Issuer, keys: KeySet
) -> None:
    assert await find_all(keys, ["one"] * 50) == {None}
    assert (await keys.find("one")).key_id == "one"
    assert issuer.asked == 1


async def test_however_many_unknown_keys_are_named_the_issuer_is_asked_once_in_two_seconds(
    issuer: Issuer, keys: KeySet
) -> None:
    await keys.find("one")
    assert await find_all(keys, [f"x{n}" for n in range(50)]) == {Unauthenticated}
    issuer.clock.secs += 1.9
    assert await find_all(keys, [f"y{n}" for n in range(50)]) == {Unauthenticated}
    assert issuer.asked == 1
    issuer.clock.secs += 0.2
    assert await find_all(keys, [f"z{n}" for n in range(50)]) == {Unauthenticated}
    assert issuer.asked == 2


async def test_a_new_key_is_found_at_its_first_token(issuer: Issuer, keys: KeySet) -> None:
    await keys.find("one")
    issuer.keys.append(jwk("two"))
    issuer.clock.secs += 10
    assert (await keys.find("two")).key_id == "two"
    assert (await keys.find("one")).key_id == "one"
    assert issuer.asked == 2


async def test_a_withdrawn_key_is_refused_after_five_minutes(issuer: Issuer, keys: KeySet) -> None:
    await keys.find("one")
    issuer.keys[:] = [jwk("two")]
    issuer.clock.secs += 299
    await keys.find("one")
    assert issuer.asked == 1
    issuer.clock.secs += 2
    with pytest.raises(Unauthenticated):
        await keys.find("one")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="<html>"),
        lambda: web.Response(text="{", content_type="application/json"),
        lambda: web.json_response([]),
        lambda: web.json_response("keys"),
        lambda: web.json_response({}),
        lambda: web.json_response({"keys": []}),
        lambda: web.json_response({"keys": 7}),
        lambda: web.json_response({"keys": [{"kty": "unheard of", "kid": "one"}]}),
        lambda: web.json_response({"keys": ["one"]}),
    ],
    ids=["500", "html", "cut", "list", "text", "no-keys", "empty", "number", "unknown", "texts"],
)
async def test_an_issuer_that_publishes_no_keys_is_unavailable_until_it_does(
    issuer: Issuer, keys: KeySet, answer: Any
) -> None:
    issuer.answer = answer()
    assert await find_all(keys, ["one", "two"]) == {Unavailable}
    assert issuer.asked == 1
    issuer.answer = None
    issuer.clock.secs += 2.1
    assert (await keys.find("one")).key_id == "one"


async def test_while_the_issuer_fails_the_keys_we_have_stay_good(
    issuer: Issuer, keys: KeySet
) -> None:
    await keys.find("one")
    issuer.answer = web.Response(status=500)
    issuer.clock.secs += 1_000
    assert await find_all(keys, ["one"] * 50) == {None}
    assert await find_all(keys, ["two"] * 50) == {Unauthenticated}
    assert issuer.asked == 2


async def test_a_silent_issuer_holds_nobody_up_who_has_a_known_key(
    issuer: Issuer, keys: KeySet
) -> None:
    await keys.find("one")
    issuer.silent = True
    issuer.clock.secs += 1_000
    refreshing = asyncio.ensure_future(keys.find("one"))
    while issuer.asked < 2:
        await asyncio.sleep(0)
    async with asyncio.timeout(0.2):
        assert await find_all(keys, ["one"] * 50) == {None}
    assert not refreshing.done()
    assert (await refreshing).key_id == "one"
    assert await find_all(keys, ["one"] * 50) == {None}
    assert issuer.asked == 2
