"""Public keys from an issuer over HTTP: rotated, withdrawn, unavailable, late and invalid."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from prometheus_client import REGISTRY

from shared.errors import Unauthenticated, Unavailable
from shared.runtime.clock import SystemClock
from shared.runtime.site import serve
from shared.web.key_set import KeySet
from tests.support.waiting import eventually


class SteppedClock(SystemClock):
    """Its monotonic time is set by the test."""

    def __init__(self) -> None:
        self.secs = 1_000.0

    def monotonic(self) -> float:
        return self.secs


def jwk(kid: str) -> dict[str, Any]:
    public = Ed25519PrivateKey.generate().public_key()
    return {**OKPAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "alg": "EdDSA", "use": "sig"}


@dataclass
class Issuer:
    """Publishes `keys`, unless it has another response; counts the requests."""

    clock: SteppedClock = field(default_factory=SteppedClock)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [jwk("one")])
    response: web.Response | None = None
    may_respond: asyncio.Event = field(default_factory=asyncio.Event)
    requests: int = 0

    def __post_init__(self) -> None:
        self.may_respond.set()

    async def jwks(self, _: web.Request) -> web.Response:
        self.requests += 1
        await self.may_respond.wait()
        return self.response or web.json_response({"keys": self.keys})


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def keys(issuer: Issuer) -> AsyncIterator[KeySet]:
    app = web.Application()
    app.router.add_get("/jwks", issuer.jwks)
    async with (
        serve(app, "127.0.0.1", 0, shutdown_secs=0.1) as port,
        aiohttp.ClientSession() as http,
    ):
        yield KeySet(http, f"http://127.0.0.1:{port}/jwks", issuer.clock)


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


async def find_all(keys: KeySet, kids: list[str]) -> set[type[BaseException] | None]:
    """The types of the errors, with None for a key that was found."""
    results = await asyncio.gather(*(keys.find(kid) for kid in kids), return_exceptions=True)
    return {type(result) if isinstance(result, BaseException) else None for result in results}


async def test_concurrent_requests_fetch_the_keys_once(issuer: Issuer, keys: KeySet) -> None:
    assert await find_all(keys, ["one"] * 50) == {None}
    assert (await keys.find("one")).key_id == "one"
    assert issuer.requests == 1


async def test_the_time_of_the_last_fetch_is_that_of_a_successful_one(
    issuer: Issuer, keys: KeySet
) -> None:
    before_secs = issuer.clock.now_ms() / 1_000
    await keys.find("one")
    fetched_secs = metric("tradedad_jwks_fetched_timestamp_seconds")
    assert before_secs <= fetched_secs <= issuer.clock.now_ms() / 1_000
    issuer.response = web.Response(status=500)
    issuer.clock.secs += 10
    await keys.refresh()
    assert keys.failure
    assert metric("tradedad_jwks_fetched_timestamp_seconds") == fetched_secs


async def test_unknown_keys_cause_one_fetch_in_two_seconds_at_most(
    issuer: Issuer, keys: KeySet
) -> None:
    await keys.find("one")
    assert await find_all(keys, [f"x{n}" for n in range(50)]) == {Unauthenticated}
    issuer.clock.secs += 1.9
    assert await find_all(keys, [f"y{n}" for n in range(50)]) == {Unauthenticated}
    assert issuer.requests == 1
    issuer.clock.secs += 0.2
    assert await find_all(keys, [f"z{n}" for n in range(50)]) == {Unauthenticated}
    assert issuer.requests == 2


async def test_a_new_key_is_fetched_at_its_first_token(issuer: Issuer, keys: KeySet) -> None:
    await keys.find("one")
    issuer.keys.append(jwk("two"))
    issuer.clock.secs += 10
    assert (await keys.find("two")).key_id == "two"
    assert (await keys.find("one")).key_id == "one"
    assert issuer.requests == 2


async def test_a_withdrawn_key_is_refused_after_five_minutes(issuer: Issuer, keys: KeySet) -> None:
    await keys.find("one")
    issuer.keys[:] = [jwk("two")]
    issuer.clock.secs += 299
    await keys.find("one")
    assert issuer.requests == 1
    issuer.clock.secs += 2
    with pytest.raises(Unauthenticated):
        await keys.find("one")


@pytest.mark.parametrize(
    "response",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="<html>"),
        lambda: web.Response(text="{", content_type="application/json"),
        lambda: web.json_response([]),
        lambda: web.json_response("keys"),
        lambda: web.json_response({}),
        lambda: web.json_response({"keys": []}),
        lambda: web.json_response({"keys": 7}),
        lambda: web.json_response({"keys": [{"kty": "unknown type", "kid": "one"}]}),
        lambda: web.json_response({"keys": ["one"]}),
    ],
    ids=["500", "html", "cut", "list", "text", "no-keys", "empty", "number", "unknown", "texts"],
)
async def test_an_issuer_without_valid_keys_is_unavailable_until_it_has_some(
    issuer: Issuer, keys: KeySet, response: Any
) -> None:
    issuer.response = response()
    failures = metric("tradedad_jwks_fetch_failures_total")
    assert await find_all(keys, ["one", "two"]) == {Unavailable}
    assert metric("tradedad_jwks_fetch_failures_total") == failures + 1
    assert issuer.requests == 1
    issuer.response = None
    issuer.clock.secs += 2.1
    assert (await keys.find("one")).key_id == "one"


async def test_known_keys_stay_valid_while_the_issuer_fails(issuer: Issuer, keys: KeySet) -> None:
    await keys.find("one")
    issuer.response = web.Response(status=500)
    issuer.clock.secs += 1_000
    assert await find_all(keys, ["one"] * 50) == {None}
    assert await find_all(keys, ["two"] * 50) == {Unavailable}
    assert issuer.requests == 2


async def test_a_late_issuer_delays_only_the_request_that_refreshes_the_keys(
    issuer: Issuer, keys: KeySet
) -> None:
    await keys.find("one")
    issuer.may_respond.clear()
    issuer.clock.secs += 1_000
    refreshing = asyncio.ensure_future(keys.find("one"))
    await eventually(lambda: issuer.requests == 2, what="the keys are fetched again")
    assert await find_all(keys, ["one"] * 50) == {None}
    assert not refreshing.done()
    issuer.may_respond.set()
    assert (await refreshing).key_id == "one"
    assert issuer.requests == 2


async def test_known_keys_stay_valid_when_a_fetch_times_out(
    issuer: Issuer, keys: KeySet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys.find("one")
    monkeypatch.setattr("shared.web.key_set._FETCH_TIMEOUT_SECS", 0.1)
    issuer.may_respond.clear()
    issuer.clock.secs += 1_000
    assert (await keys.find("one")).key_id == "one"
    assert await find_all(keys, ["one"] * 50) == {None}
    assert await find_all(keys, ["two"]) == {Unavailable}
    assert issuer.requests == 2
