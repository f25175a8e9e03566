"""The web page over HTTP."""

import asyncio
from pathlib import Path

import pytest

from services.gateway.http.static_files import OWN_PAGE
from shared.errors import ConfigError
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import get
from tests.support.servers import NatsServer

TYPES = {
    "/": "text/html; charset=utf-8",
    "/page.css": "text/css; charset=utf-8",
    "/page.js": "text/javascript; charset=utf-8",
}


async def status_of(gateway: InProcessGateway, target: str) -> str:
    """The status line of the response to a raw request for `target`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    response = await reader.read()
    writer.close()
    return response.partition(b"\r\n")[0].decode()


async def test_the_built_in_page_has_content_types_and_a_policy_without_inline_code(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        for path, content_type in TYPES.items():
            reply = await get(gateway, path, token=None)
            assert (reply.status, reply.headers["Content-Type"]) == (200, content_type)
            assert reply.headers["Cache-Control"] == "no-cache"
            assert reply.headers["Content-Encoding"] == "gzip"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["X-Frame-Options"] == "DENY"
            policy = reply.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "Strict-Transport-Security" not in reply.headers
    page = (OWN_PAGE / "index.html").read_text()
    assert "<style" not in page
    assert " on" not in page.partition("<body>")[2].replace(" one", "")
    assert page.count("<script") == page.count('<script src="/page.js"') == 1


async def test_a_file_that_the_browser_has_is_not_sent_again(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        first = await get(gateway, "/page.js", token=None)
        again = {"If-None-Match": first.headers["ETag"]}
        same = await get(gateway, "/page.js", token=None, headers=again)
        assert (same.status, same.text) == (304, "")
        other = await get(gateway, "/page.css", token=None, headers=again)
        assert other.status == 200


async def test_behind_a_proxy_with_tls_responses_require_tls_from_browsers(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, trusted_proxies="127.0.0.1/32") as gateway:
        reply = await get(gateway, "/", token=None, headers={"X-Forwarded-Proto": "https"})
        assert reply.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_another_folder_can_be_served_and_no_file_outside_it(
    nats: NatsServer, tmp_path: Path
) -> None:
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>another")
    (folder / "assets" / "app-1f2e3d4c.js").write_text("1")
    (folder / ".hidden").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    async with running_gateway(nats, page_dir=folder) as gateway:
        assert (await get(gateway, "/", token=None)).text == "<!doctype html>another"
        lasting = await get(gateway, "/assets/app-1f2e3d4c.js", token=None)
        assert lasting.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        for target in (
            "/page.js", "/.hidden", "/assets", "/assets/", "/../secret.txt", "/%2e%2e/secret.txt",
            "/assets/../../secret.txt", "/..%2fsecret.txt", "//secret.txt", "/assets/..\\secret.txt",
        ):  # fmt: skip
            assert " 404 " in await status_of(gateway, target), target
        posted = await get(gateway, "/", method="POST")
        assert (posted.status, posted.body["code"]) == (405, "method_not_allowed")


async def test_a_folder_without_a_page_is_a_config_error(nats: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"TRADEDAD_GATEWAY_PAGE_DIR: \S+ has no index\.html"):
        async with running_gateway(nats, page_dir=tmp_path):
            pass
