"""HTTP requests have spans, and their answers name the trace."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from shared.runtime.site import serve
from shared.runtime.tracing import Span, current, export_to
from shared.web.problems import problems
from shared.web.request_spans import TRACE_RESPONSE, add_request_spans

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENDER = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SENDER}-01"


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    spans: list[Span] = []
    export_to(spans.append, 0.0)
    yield spans
    export_to(None)


async def show(_: web.Request) -> web.Response:
    context = current()
    assert context is not None
    return web.Response(text=context.traceparent(), headers={"X-State": context.state})


async def fail(_: web.Request) -> web.Response:
    raise ZeroDivisionError


async def healthz(_: web.Request) -> web.Response:
    return web.Response(text="" if current() is None else "traced")


@asynccontextmanager
async def site(*, is_public: bool = False) -> AsyncIterator[aiohttp.ClientSession]:
    application = web.Application(middlewares=[problems])
    add_request_spans(application, is_public=is_public, lasting=["/lasting"])
    application.add_routes(
        [
            web.get("/users/{user}", show),
            web.get("/lasting", show),
            web.get("/fail", fail),
            web.get("/healthz", healthz),
        ]
    )
    async with (
        serve(application, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        yield http


async def test_a_trace_of_the_sender_is_continued(exported: list[Span]) -> None:
    headers = {"traceparent": PARENT, "tracestate": "a=1"}
    async with site() as http, http.get("/users/me@example.com", headers=headers) as answer:
        text = await answer.text()
    (span,) = exported
    assert text == answer.headers[TRACE_RESPONSE] == span.context.traceparent()
    assert (span.context.trace_id, span.parent_id) == (TRACE, SENDER)
    assert answer.headers["X-State"] == "a=1"
    assert span.name == "GET /users/{user}"
    assert span.attributes == {
        "http.request.method": "GET", "http.route": "/users/{user}",
        "http.response.status_code": 200,
    }  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("traceparent", PARENT.upper())],
        [("traceparent", PARENT), ("traceparent", PARENT)],
        [("tracestate", "a=1")],
    ],
)
async def test_a_request_without_a_valid_trace_begins_one(headers: list[tuple[str, str]]) -> None:
    async with site() as http, http.get("/users/1", headers=headers) as answer:
        version, trace_id, _, flags = answer.headers[TRACE_RESPONSE].split("-")
    assert answer.status == 200
    assert (version, flags) == ("00", "00")
    assert trace_id != TRACE
    assert answer.headers["X-State"] == ""


async def test_a_client_of_a_public_site_does_not_decide_on_sampling(exported: list[Span]) -> None:
    headers = {"traceparent": PARENT}
    async with site(is_public=True) as http, http.get("/users/1", headers=headers) as answer:
        assert answer.headers[TRACE_RESPONSE].startswith(f"00-{TRACE}-")
        assert answer.headers[TRACE_RESPONSE].endswith("-00")
    assert exported == []


async def test_an_internal_error_is_exported_and_its_answer_names_the_trace(
    exported: list[Span],
) -> None:
    with capture_logs():
        async with site() as http, http.get("/fail") as answer:
            assert answer.status == 500
    (span,) = exported
    assert answer.headers[TRACE_RESPONSE] == span.context.traceparent()
    assert span.error == "500"


async def test_an_unknown_path_and_method_are_not_part_of_a_name(exported: list[Span]) -> None:
    headers = {"traceparent": PARENT}
    async with site() as http:
        async with http.get("/secret-path", headers=headers) as answer:
            assert answer.status == 404
            assert TRACE_RESPONSE in answer.headers
        async with http.request("PROPFIND", "/users/1", headers=headers) as answer:
            assert answer.status == 405
    assert [span.name for span in exported] == ["GET other", "_OTHER other"]


async def test_health_checks_have_no_trace() -> None:
    async with site() as http, http.get("/healthz") as answer:
        assert (await answer.text(), TRACE_RESPONSE in answer.headers) == ("", False)


async def test_a_request_that_lasts_has_a_trace_but_exports_no_span(exported: list[Span]) -> None:
    async with site() as http, http.get("/lasting", headers={"traceparent": PARENT}) as answer:
        assert answer.headers[TRACE_RESPONSE].startswith(f"00-{TRACE}-")
    assert exported == []
