"""Requests that the gateway forwards to auth: to the real auth, and to broken ones."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from embedded.ports import free_ports
from services.auth.settings import AuthSettings
from services.gateway.http import auth_proxy
from services.gateway.http.auth_proxy import MAX_BODY_BYTES, MAX_RESPONSE_BYTES
from shared.runtime.site import serve
from tests.support.auth_service import EMAIL, PASSWORD, Auth
from tests.support.gateway.cookie_client import CookieClient
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import get
from tests.support.patience import OUTAGE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PROXY: dict[str, Any] = {"trusted_proxies": "127.0.0.1/32"}


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    """Auth trusts its gateways."""
    gateways = frozenset([ip_network("127.0.0.1/32")])
    return settings.model_copy(
        update={
            "trusted_proxies": gateways,
            "free_address_attempts": 3,
        }
    )


@asynccontextmanager
async def gateway_of(
    nats: NatsServer, handler: Handler, **settings: Any
) -> AsyncIterator[InProcessGateway]:
    """A gateway whose auth handles every request with `handler`."""
    site = web.Application()
    site.router.add_route("*", "/{path:.*}", handler)
    async with (
        serve(site, "127.0.0.1", 0, shutdown_secs=0.1) as port,
        running_gateway(nats, auth_url=f"http://127.0.0.1:{port}", **settings) as gateway,
    ):
        yield gateway


async def get_bytes(gateway: InProcessGateway, path: str) -> bytes:
    """The body of an answer, once the gateway has room."""
    async with aiohttp.ClientSession() as http:

        async def body() -> bytes | None:
            async with http.get(f"http://127.0.0.1:{gateway.port}{path}") as response:
                return await response.read() if response.status == 200 else None

        found = await eventually(body, what=f"an answer to {path}")
    assert found is not None
    return found


async def echo(request: web.Request) -> web.Response:
    """Responds with the request."""
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": [[name.lower(), value] for name, value in request.headers.items()],
            "body": (await request.read()).decode(),
        }
    )


async def test_a_page_signs_up_logs_in_refreshes_and_logs_out(nats: NatsServer, auth: Auth) -> None:
    async with (
        running_gateway(nats, auth_url=auth.url) as gateway,
        CookieClient(gateway) as page,
    ):
        credentials = {"email": EMAIL, "password": PASSWORD}
        assert (await page.post("/auth/signup", credentials)).status == 201
        login = await page.post("/auth/login", credentials | {"cookie": True})
        assert login.status == 200, login.text
        cookies = login.headers.getall("Set-Cookie")
        assert [cookie.partition("=")[0] for cookie in cookies] == [
            "__Host-tradedad_refresh", "__Host-tradedad_device",
        ]  # fmt: skip
        assert "refresh_token" not in login.body
        me = await get(gateway, "/auth/me", token=login.body["access_token"])
        assert me.body["email"] == EMAIL
        renewed = await page.post("/auth/refresh", {})
        assert renewed.status == 200, renewed.text
        foreign = await page.post("/auth/refresh", {}, origin="https://elsewhere.example")
        assert (foreign.status, foreign.body["code"]) == (403, "forbidden")
        assert (await page.post("/auth/logout", {})).status == 204
        assert (await page.post("/auth/refresh", {})).status == 401
    sessions = await auth.mongo.db["sessions"].find().to_list()
    addresses = {session["address"] for session in sessions}
    assert addresses == {"127.0.0.1"}


async def test_the_keys_and_the_openapi_document_of_auth_are_forwarded_too(
    nats: NatsServer, auth: Auth
) -> None:
    async with running_gateway(nats, auth_url=auth.url) as gateway:
        keys = await get(gateway, "/.well-known/jwks.json", token=None)
        assert (keys.status, keys.body["keys"][0]["alg"]) == (200, "EdDSA")
        assert keys.headers["Cache-Control"] == "public, max-age=300"
        document = await get(gateway, "/auth/openapi.json", token=None)
        assert document.body["openapi"] == "3.1.0"
        nowhere = await get(gateway, "/auth/nowhere", token=None)
        assert (nowhere.status, nowhere.body["code"]) == (404, "not_found")


async def test_auth_counts_wrong_passwords_by_the_address_of_the_client(
    nats: NatsServer, auth: Auth
) -> None:
    async with running_gateway(nats, auth_url=auth.url, **PROXY) as gateway:

        async def attempt(number: int, address: str) -> int:
            body = {"email": f"{number}@example.com", "password": "a wrong but long password"}
            headers = {"X-Forwarded-For": address}
            async with gateway.http.post(
                f"{gateway.url}/auth/login", json=body, headers=headers
            ) as response:
                if response.status == 429:
                    assert int(response.headers["Retry-After"]) >= 1
                    assert (await response.json(content_type=None))["code"] == "too_many_attempts"
                return response.status

        assert [await attempt(n, "192.0.2.1") for n in range(5)] == [401] * 4 + [429]
        assert await attempt(5, "192.0.2.2") == 401
        # An entry of the client before that of the proxy is ignored.
        assert await attempt(6, "192.0.2.3, 192.0.2.1") == 429


async def test_forwarding_headers_of_a_client_are_replaced(nats: NatsServer) -> None:
    async with gateway_of(nats, echo) as gateway:
        headers = {
            "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Forwarded": "for=a",
            "X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "1", "X-Real-IP": "192.0.2.1",
            "Connection": "close, X-Hop", "X-Hop": "1", "TE": "trailers", "Proxy-Authorization": "b",
            "Origin": "http://page", "Sec-Fetch-Site": "same-origin", "Cookie": "a=1; b=2",
            "Authorization": "Bearer t", "User-Agent": "test",
        }  # fmt: skip
        async with gateway.http.post(
            f"{gateway.url}/auth/x%2Fy?a=%20b", data=b"body", headers=headers
        ) as response:
            sent = await response.json()
    assert (sent["method"], sent["target"], sent["body"]) == ("POST", "/auth/x%2Fy?a=%20b", "body")
    host = gateway.url.removeprefix("http://")
    names = [name for name, _ in sent["headers"]]
    assert len(names) == len(set(names))
    assert dict(sent["headers"]) | {"host": ""} == {
        "host": "", "accept": "*/*", "accept-encoding": dict(sent["headers"])["accept-encoding"],
        "content-length": "4", "content-type": "application/octet-stream",
        "origin": "http://page", "sec-fetch-site": "same-origin", "cookie": "a=1; b=2",
        "authorization": "Bearer t", "user-agent": "test",
        "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-host": host,
        "traceparent": dict(sent["headers"])["traceparent"],
    }  # fmt: skip


async def test_forwarding_headers_of_a_trusted_proxy_are_used(nats: NatsServer) -> None:
    async with gateway_of(nats, echo, **PROXY) as gateway:
        reply = await get(
            gateway, "/auth/x",
            headers={
                "X-Forwarded-For": "203.0.113.9, 192.0.2.1", "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "trade.example",
            },
        )  # fmt: skip
        headers = dict(reply.body["headers"])
        assert headers["x-forwarded-for"] == "192.0.2.1"
        assert headers["x-forwarded-proto"] == "https"
        assert headers["x-forwarded-host"] == "trade.example"


async def test_a_response_of_auth_is_forwarded_unchanged(nats: NatsServer) -> None:
    async def respond(request: web.Request) -> web.Response:
        response = web.Response(
            status=302, body=b"\x00" * 3, headers={"Location": "https://elsewhere", "X-Hop": "1"}
        )
        response.headers.add("Connection", "X-Hop")
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2")
        return response

    async with gateway_of(nats, respond) as gateway:
        for _ in range(2):  # no cookie is kept between clients
            reply = await get(gateway, "/auth/x")
            assert (reply.status, reply.headers["Location"]) == (302, "https://elsewhere")
            assert reply.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            assert "X-Hop" not in reply.headers
            assert "cookie" not in reply.text


async def test_the_trace_of_a_request_goes_on_at_auth(nats: NatsServer) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    sent = f"00-{trace_id}-b7ad6b7169203331-01"
    async with gateway_of(nats, echo) as gateway:
        reply = await get(gateway, "/auth/x", headers={"traceparent": sent, "tracestate": "a=1"})
    parents = [value for name, value in reply.body["headers"] if name == "traceparent"]
    states = [value for name, value in reply.body["headers"] if name == "tracestate"]
    answers = reply.headers.getall("traceresponse")
    assert (len(parents), states, len(answers)) == (1, ["a=1"], 1)
    assert {value.split("-")[1] for value in (*parents, *answers)} == {trace_id}
    assert len({sent, *parents, *answers}) == 3


async def test_a_body_above_the_limit_is_refused(nats: NatsServer) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"a" * (MAX_BODY_BYTES // 4)

    async with gateway_of(nats, echo) as gateway:
        url = f"{gateway.url}/auth/x"
        async with gateway.http.post(url, data=b"a" * MAX_BODY_BYTES) as fits:
            assert len((await fits.json())["body"]) == MAX_BODY_BYTES
        for data in (b"a" * (MAX_BODY_BYTES + 1), pieces()):
            async with gateway.http.post(url, data=data) as refused:
                body = json.loads(await refused.text())
                assert (refused.status, body["code"]) == (413, "too_large")


async def test_no_path_leaves_auth(nats: NatsServer) -> None:
    async with gateway_of(nats, echo) as gateway:
        for path in ("/auth/../healthz", "/auth/%2e%2e/healthz", "/auth/./x", "/auth/a/%2E./b"):
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            response = await reader.read()
            writer.close()
            assert response.startswith(b"HTTP/1.1 404 "), (path, response)


async def test_without_auth_the_other_routes_work(nats: NatsServer) -> None:
    async with running_gateway(nats, auth_url="http://127.0.0.1:9") as gateway:
        reply = await get(gateway, "/auth/me")
        assert (reply.status, reply.body["code"]) == (503, "unavailable")
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        assert gateway.readiness.is_ready()
        assert (await get(gateway, "/v1/status")).status == 200


async def test_a_request_that_finds_no_auth_is_sent_once_there_is_one(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_proxy, "CONNECT_ATTEMPTS", 1_000)
    site = web.Application()
    site.router.add_route("*", "/{path:.*}", echo)
    (port,) = free_ports(1)
    async with running_gateway(nats, auth_url=f"http://127.0.0.1:{port}") as gateway:
        with capture_logs() as logged:
            asking = asyncio.create_task(get(gateway, "/auth/me"))
            await eventually(
                lambda: [one for one in logged if "trying again" in one["event"]],
                what="a connection is refused",
            )
            async with serve(site, "127.0.0.1", port, shutdown_secs=0.1):
                reply = await asking
    assert (reply.status, reply.body["target"]) == (200, "/auth/me")


async def test_an_auth_that_hangs_is_timed_out_and_others_are_overloaded(nats: NatsServer) -> None:
    may_respond = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await may_respond.wait()
        return web.Response()

    async with gateway_of(
        nats, hang, auth_timeout_secs=OUTAGE_SECS, auth_requests_at_once=2
    ) as gateway:  # fmt: skip
        replies = await asyncio.gather(*(get(gateway, "/auth/me") for _ in range(3)))
        may_respond.set()
    codes = sorted((reply.status, reply.body["code"]) for reply in replies)
    assert codes == [(503, "overloaded"), (504, "timed_out"), (504, "timed_out")]


async def test_bodies_that_do_not_arrive_keep_out_no_other_request(nats: NatsServer) -> None:
    async with gateway_of(nats, echo, auth_requests_at_once=1) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        head = b"POST /auth/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        writer.write(head + b"Connection: close\r\nExpect: 100-continue\r\n\r\n")
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        assert (await get(gateway, "/auth/me")).status == 200
        writer.write(b"body")
        response = await reader.read()
        writer.close()
    assert response.startswith(b"HTTP/1.1 200 ")
    assert b'"body": "body"' in response


async def test_responses_that_are_not_read_keep_out_no_other_request(nats: NatsServer) -> None:
    async def large(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MAX_RESPONSE_BYTES - 1))

    async with gateway_of(nats, large, auth_requests_at_once=1) as gateway:
        unread = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1_024)
            writer.write(20 * b"GET /auth/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.readexactly(1)
            unread.append((reader, writer))
        assert len(await get_bytes(gateway, "/auth/y")) == MAX_RESPONSE_BYTES - 1
        for _, writer in unread:
            writer.close()


async def test_a_response_that_is_too_large_is_no_answer(nats: NatsServer) -> None:
    async def large(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MAX_RESPONSE_BYTES + 1))

    async with gateway_of(nats, large) as gateway:
        assert (await get(gateway, "/auth/me")).status == 503


async def test_a_response_that_breaks_off_is_not_completed(nats: NatsServer) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with gateway_of(nats, half) as gateway:
        reply = await get(gateway, "/auth/me")
    assert (reply.status, reply.body["code"]) == (503, "unavailable")


async def test_requests_of_an_address_are_limited(nats: NatsServer) -> None:
    async with gateway_of(
        nats, echo, address_requests_per_sec=0.001, address_requests_burst=2
    ) as gateway:
        replies = [await get(gateway, "/auth/me") for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert replies[-1].body["code"] == "rate_limited"
        assert replies[-1].headers["RateLimit"].startswith('"address";r=0;t=')


@pytest.mark.parametrize(
    "encoding", ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "other"]
)
async def test_a_compressed_body_is_refused_and_never_decompressed(
    nats: NatsServer, encoding: str
) -> None:
    received: list[web.Request] = []

    async def record(request: web.Request) -> web.Response:
        received.append(request)
        return web.Response()

    bomb = gzip.compress(bytes(32 << 20))
    assert len(bomb) < MAX_BODY_BYTES
    async with gateway_of(nats, record) as gateway:
        async with gateway.http.post(
            f"{gateway.url}/auth/login",
            data=bomb,
            headers={"Content-Encoding": encoding, "Content-Type": "application/json"},
        ) as response:
            assert response.status == 415
            assert response.content_type == "application/problem+json"
            assert (await response.json())["code"] == "unsupported_encoding"
            assert "Server" not in response.headers
    assert received == []


async def test_a_gzipped_login_at_auth_itself_is_refused_by_its_code(auth: Auth) -> None:
    body = gzip.compress(json.dumps({"email": EMAIL, "password": PASSWORD}).encode())
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{auth.url}/auth/login", data=body, headers={"Content-Encoding": "gzip"}
        ) as response,
    ):
        assert response.status == 415
        assert (await response.json())["code"] == "unsupported_encoding"
        assert "Server" not in response.headers
