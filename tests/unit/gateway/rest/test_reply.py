"""Responses from encoded JSON: caching headers, revalidation and compression."""

import gzip
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from services.gateway.rest.reply import NO_CACHE, NO_STORE, SHORT_LIVED, reply

SMALL = b'{"bars":[]}'
LARGE = json.dumps({"bars": list(range(1_000))}).encode()
VERY_LARGE = json.dumps({"bars": list(range(20_000))}).encode()


async def response_to(body: bytes, cache_control: str = NO_CACHE, **headers: str) -> web.Response:
    """The response to a request with `headers`; `_` in a name stands for `-`."""
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/v1/bars", headers=request_headers)
    return await reply(request, body, cache_control)


async def test_a_response_has_the_body_and_the_caching_headers() -> None:
    response = await response_to(SMALL, SHORT_LIVED)
    assert (response.status, response.body) == (200, SMALL)
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "private, max-age=60"
    assert response.headers["Vary"] == "Accept-Encoding, Authorization"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_etag_is_weak_and_changes_with_the_body() -> None:
    first = await response_to(SMALL)
    assert first.headers["ETag"].startswith('W/"')
    assert (await response_to(SMALL)).headers["ETag"] == first.headers["ETag"]
    assert (await response_to(LARGE)).headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("cache_control", [NO_CACHE, SHORT_LIVED])
@pytest.mark.parametrize("template", ["{}", '"other", {}', "*"])
async def test_a_client_with_this_version_gets_304(cache_control: str, template: str) -> None:
    etag = (await response_to(LARGE, cache_control)).headers["ETag"]
    response = await response_to(LARGE, cache_control, If_None_Match=template.format(etag))
    assert (response.status, response.body) == (304, None)
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == cache_control


async def test_a_client_with_another_version_gets_the_body() -> None:
    etag = (await response_to(SMALL)).headers["ETag"]
    response = await response_to(LARGE, If_None_Match=etag)
    assert (response.status, response.body) == (200, LARGE)


async def test_a_response_that_may_not_be_stored_has_no_etag() -> None:
    response = await response_to(SMALL, NO_STORE, If_None_Match="*")
    assert (response.status, response.body) == (200, SMALL)
    assert "ETag" not in response.headers


@pytest.mark.parametrize("body", [LARGE, VERY_LARGE])
@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "deflate , gzip ; q=1"])
async def test_a_large_body_is_compressed_if_the_client_accepts_gzip(
    body: bytes, accepted: str
) -> None:
    response = await response_to(body, Accept_Encoding=accepted)
    assert response.headers["Content-Encoding"] == "gzip"
    assert isinstance(response.body, bytes)
    assert len(response.body) < len(body)
    assert gzip.decompress(response.body) == body
    assert response.headers["ETag"] == (await response_to(body)).headers["ETag"]


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip"])
async def test_a_body_is_not_compressed_if_the_client_refuses_gzip(accepted: str) -> None:
    response = await response_to(LARGE, Accept_Encoding=accepted)
    assert response.body == LARGE
    assert "Content-Encoding" not in response.headers


async def test_a_small_body_is_not_compressed() -> None:
    response = await response_to(SMALL, Accept_Encoding="gzip")
    assert response.body == SMALL
    assert "Content-Encoding" not in response.headers
