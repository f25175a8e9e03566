"""Errors as problem+json over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

import aiohttp
import pytest
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, field_validator
from structlog.testing import capture_logs

from shared.errors import (
    Code,
    EmailTaken,
    InvalidField,
    Overloaded,
    RateLimited,
    TimedOut,
    TokenExpired,
    Unavailable,
)
from shared.runtime.site import serve
from shared.web.problems import problems, read_body, read_query

CANARY = "canary-secret-9d20"


class Inner(BaseModel):
    """A nested object."""

    count: int = Field(le=10)


class Order(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2)
    inner: Inner | None = None

    @field_validator("name")
    @classmethod
    def plain(cls, value: str) -> str:
        if value == "salt and":
            raise ValueError("must not be half a phrase")
        return value


RAISED = {
    "taken": EmailTaken("there is one"),
    "field": InvalidField("too long", field="key"),
    "full": Overloaded("come back", retry_after_secs=7),
    "expired": TokenExpired("it has"),
    "away": Unavailable("mongo"),
    "late": TimedOut("mongo"),
    "fast": RateLimited("slow down", retry_after_secs=7),
    "bug": RuntimeError(CANARY),
    "redirect": web.HTTPFound("/elsewhere"),
}


async def raise_it(request: web.Request) -> web.Response:
    raise RAISED[request.match_info["what"]]


async def receive_order(request: web.Request) -> web.Response:
    order = await read_body(request, Order)
    return web.json_response(order.model_dump())


class Query(BaseModel):
    """Query parameters."""

    model_config = ConfigDict(extra="forbid")

    limit: int
    kinds: list[str] = []
    named: Annotated[list[str], Field(max_length=2)] | None = None


async def echo_query(request: web.Request) -> web.Response:
    return web.json_response(read_query(request, Query).model_dump())


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application(middlewares=[problems], client_max_size=1_000)
    app.add_routes(
        [
            web.get("/raise/{what}", raise_it),
            web.post("/orders", receive_order),
            web.get("/query", echo_query),
        ]
    )
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("what", "status", "body"),
    [
        ("taken", 409, {"code": "email_taken", "detail": "there is one"}),
        ("field", 422, {"code": "invalid_field", "detail": "too long", "field": "key"}),
        ("full", 503, {"code": "overloaded", "detail": "come back"}),
        ("expired", 401, {"code": "token_expired", "detail": "it has"}),
        ("away", 503, {"code": "unavailable", "detail": "mongo"}),
        ("late", 504, {"code": "timed_out", "detail": "mongo"}),
        ("fast", 429, {"code": "rate_limited", "detail": "slow down"}),
    ],
)
async def test_an_error_of_a_handler_becomes_a_problem_with_its_code(
    http: aiohttp.ClientSession, what: str, status: int, body: dict[str, str]
) -> None:
    async with http.get(f"/raise/{what}") as answer:
        assert answer.status == status
        assert answer.content_type == "application/problem+json"
        assert json.loads(await answer.text()) == {"status": status, **body}
        assert answer.headers.get("Retry-After") == ("7" if what in ("full", "fast") else None)


async def test_an_unexpected_error_reveals_nothing_to_the_client(
    http: aiohttp.ClientSession,
) -> None:
    with capture_logs() as logged:
        async with http.get("/raise/bug") as answer:
            text = await answer.text()
    assert (answer.status, json.loads(text)["code"]) == (500, Code.INTERNAL)
    assert CANARY not in text
    assert [(line["event"], line["path"]) for line in logged] == [("request failed", "/raise/bug")]


async def test_a_redirect_is_not_turned_into_a_problem(http: aiohttp.ClientSession) -> None:
    async with http.get("/raise/redirect", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


async def test_an_unknown_path_or_method_is_a_problem_too(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("/nowhere") as answer:
        body = json.loads(await answer.text())
        assert (answer.status, body["code"]) == (404, Code.NOT_FOUND)
        assert "/nowhere" in body["detail"]
    async with http.get("/orders") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert json.loads(await answer.text())["code"] == Code.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'"\\ud800"', b"[" * 900, b'{"name": "ab",}', b"NaNo"]
)
async def test_a_body_that_is_not_json_is_a_bad_message(
    http: aiohttp.ClientSession, body: bytes
) -> None:
    async with http.post("/orders", data=body) as answer:
        assert (answer.status, json.loads(await answer.text())["code"]) == (400, Code.BAD_MESSAGE)


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({}, "name", "required"),
        ({"name": "a"}, "name", "at least 2"),
        ({"name": "salt and"}, "name", "must not be half a phrase"),
        ({"name": 5}, "name", "string"),
        ({"name": "ab", "inner": {"count": 11}}, "inner.count", "less than or equal to 10"),
        ({"name": "ab", "extra": CANARY}, "extra", "not permitted"),
        ([], "body", "object"),
        (None, "body", "object"),
    ],
)
async def test_an_invalid_body_names_the_field_and_the_rule(
    http: aiohttp.ClientSession, body: object, field: str, rule: str
) -> None:
    async with http.post("/orders", data=json.dumps(body)) as answer:
        text = await answer.text()
        problem = json.loads(text)
        assert (answer.status, problem["code"], problem["field"]) == (
            422,
            Code.INVALID_FIELD,
            field,
        )
        assert problem["detail"].startswith(f"{field}: ")
        assert rule in problem["detail"]
        assert CANARY not in text
        assert "Value error" not in text


async def test_a_valid_body_is_parsed(http: aiohttp.ClientSession) -> None:
    body = {"name": "Nifty é", "inner": {"count": 10}}
    async with http.post("/orders", data=json.dumps(body)) as answer:
        assert (answer.status, await answer.json()) == (200, body)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=3", {"limit": 3, "kinds": [], "named": None}),
        ("limit=3&kinds=a&kinds=b&named=c", {"limit": 3, "kinds": ["a", "b"], "named": ["c"]}),
        ("limit=3&limit=4", "limit"),
        ("limit=x", "limit"),
        ("", "limit"),
        ("limit=3&more=1", "more"),
    ],
)
async def test_a_query_is_parsed_or_its_invalid_parameter_is_named(
    http: aiohttp.ClientSession, query: str, expected: dict[str, object] | str
) -> None:
    async with http.get(f"/query?{query}") as answer:
        body = json.loads(await answer.text())
        if isinstance(expected, str):
            assert (answer.status, body["code"], body["field"]) == (422, "invalid_field", expected)
        else:
            assert body == expected


async def test_a_body_above_the_limit_is_too_large(http: aiohttp.ClientSession) -> None:
    async with http.post("/orders", data=b'"' + b"a" * 1_001 + b'"') as answer:
        assert (answer.status, json.loads(await answer.text())["code"]) == (413, Code.TOO_LARGE)
