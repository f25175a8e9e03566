"""The web page over HTTP."""

import asyncio
from pathlib import Path

import pytest

from embedded.page.build import build
from services.gateway.http.static_files import OWN_PAGE, read_files
from shared.errors import ConfigError
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import get
from tests.support.servers import NatsServer

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
MOST_GZIPPED_BYTES = 110 << 10


@pytest.fixture(scope="module", autouse=True)
def built_page() -> None:
    build()


def names(kind: str) -> list[str]:
    """The paths of the built page's files with the suffix `kind`."""
    return [f"/{path.relative_to(OWN_PAGE)}" for path in sorted(OWN_PAGE.rglob(f"*{kind}"))]


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
        for suffix, content_type in TYPES.items():
            (name,) = names(suffix)
            path = "/" if suffix == ".html" else name
            reply = await get(gateway, path, token=None)
            assert (reply.status, reply.headers["Content-Type"]) == (200, content_type)
            lasts = "immutable" in reply.headers["Cache-Control"]
            assert lasts == path.startswith("/assets/")
            assert reply.headers["Content-Encoding"] == "gzip"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["X-Frame-Options"] == "DENY"
            policy = reply.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
            assert "report-uri /page-reports; report-to page" in policy
            assert reply.headers["Reporting-Endpoints"] == 'page="/page-reports"'
            assert "Strict-Transport-Security" not in reply.headers
        build_id = await get(gateway, "/build.json", token=None)
        assert build_id.headers["Cache-Control"] == "no-cache"
        assert list(build_id.body) == ["build"]


def test_the_built_in_page_is_one_small_bundle_without_inline_code() -> None:
    page = (OWN_PAGE / "index.html").read_text()
    assert "<style" not in page
    assert " style=" not in page
    assert " on" not in page.partition("<body>")[2]
    (script,) = names(".js")
    assert page.count("<script") == page.count(f'src="{script}"') == 1
    loaded = [
        len(file.gzipped or file.body)
        for path, file in read_files(OWN_PAGE).items()
        if path == "/" or path.endswith((".js", ".css"))
    ]
    assert sum(loaded) <= MOST_GZIPPED_BYTES


async def test_the_built_in_page_is_sent_as_it_was_compressed_by_the_build(
    nats: NatsServer,
) -> None:
    (script,) = names(".js")
    prepared = OWN_PAGE / f"{script[1:]}.gz"
    async with running_gateway(nats) as gateway:
        reply = await get(gateway, script, token=None)
        assert reply.headers["Content-Encoding"] == "gzip"
        assert int(reply.headers["Content-Length"]) == prepared.stat().st_size
        assert reply.text == (OWN_PAGE / script[1:]).read_text()
        assert (await get(gateway, f"{script}.gz", token=None)).status == 404


async def test_a_file_that_the_browser_has_is_not_sent_again(nats: NatsServer) -> None:
    (script,), (style,) = names(".js"), names(".css")
    async with running_gateway(nats) as gateway:
        first = await get(gateway, script, token=None)
        again = {"If-None-Match": first.headers["ETag"]}
        same = await get(gateway, script, token=None, headers=again)
        assert (same.status, same.text) == (304, "")
        other = await get(gateway, style, token=None, headers=again)
        assert other.status == 200


async def test_each_view_has_an_address_of_its_own_that_serves_the_page(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        page = await get(gateway, "/", token=None)
        for path in (
            "/i/NSE_EQ%7CINE002A01018",
            "/i/NSE_INDEX%7CNifty%2050?interval=15m",
            "/l/mine",
        ):
            view = await get(gateway, path, token=None)
            assert (view.status, view.text) == (200, page.text)
            assert view.headers["Cache-Control"] == "no-cache"
            assert (
                view.headers["Content-Security-Policy"] == page.headers["Content-Security-Policy"]
            )
        for path in ("/i/", "/i", "/i/a/b", "/l/a/b", "/o/a"):
            assert (await get(gateway, path, token=None)).status == 404


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
            "/build.json", "/.hidden", "/assets", "/assets/", "/../secret.txt", "/%2e%2e/secret.txt",
            "/assets/../../secret.txt", "/..%2fsecret.txt", "//secret.txt", "/assets/..\\secret.txt",
        ):  # fmt: skip
            assert " 404 " in await status_of(gateway, target), target
        posted = await get(gateway, "/", method="POST")
        assert (posted.status, posted.body["code"]) == (405, "method_not_allowed")


async def test_a_folder_without_a_page_is_a_config_error(nats: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"TRADEDAD_GATEWAY_PAGE_DIR: .* has no index\.html"):
        async with running_gateway(nats, page_dir=tmp_path):
            pass
