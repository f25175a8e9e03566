"""Only a readable answer of Upstox is a success or a refusal; everything else is lost."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.upstox.answer_reading import (
    HttpAnswer,
    read_changed,
    read_data,
    read_placed,
)
from services.trading.upstox.answers import Lost, Refused, Taken
from shared.errors import UpstoxUnauthorised, UpstoxUnavailable
from tests.support.upstox_rows import ANY_JSON

HTML = b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title>"
REFUSALS = [400, 401, 403, 404, 405, 406, 410, 423, 429]


def error_body(
    code: object = "UDAPI1154", message: object = "Static IP", name: str = "errorCode"
) -> bytes:
    return json.dumps({"status": "error", "errors": [{name: code, "message": message}]}).encode()


def success(data: Any) -> bytes:
    return json.dumps({"status": "success", "data": data, "metadata": {"latency": 9}}).encode()


def test_a_placed_order_has_its_id() -> None:
    assert read_placed(HttpAnswer(200, success({"order_ids": ["25"]}))) == Taken("25")


def test_a_changed_order_has_the_id_of_the_command() -> None:
    answer = HttpAnswer(200, success({"order_id": "25"}))
    assert read_changed(answer, "25") == Taken("25")
    assert isinstance(read_changed(answer, "26"), Lost)


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("name", ["errorCode", "error_code"])
def test_a_documented_status_with_an_error_of_upstox_is_a_refusal(status: int, name: str) -> None:
    answer = HttpAnswer(status, error_body(name=name))
    assert read_placed(answer) == Refused("UDAPI1154", "Static IP")
    assert read_changed(answer, "25") == Refused("UDAPI1154", "Static IP")


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize(
    "body",
    [
        HTML, b"", b"null", b"[]", b"{}", b"5", b"\xff\xfe", error_body()[:-3],
        error_body("1154"), error_body(1154), error_body(None), error_body("UDAPI"),
        b'{"status":"error","errors":[]}', b'{"status":"error","errors":{}}',
        b'{"status":"error","errors":[7]}', b'{"status":"error"}', b"[" * 100_000,
        error_body().replace(b'"error"', b'"success"'),
    ],
)  # fmt: skip
def test_a_documented_status_without_an_error_of_upstox_is_lost(status: int, body: bytes) -> None:
    answer = HttpAnswer(status, body)
    assert read_placed(answer) == Lost(f"HTTP {status}")
    assert read_changed(answer, "25") == Lost(f"HTTP {status}")


@pytest.mark.parametrize("status", [301, 307, 402, 408, 409, 418, 500, 502, 503, 504, 520])
def test_another_status_is_lost_whatever_its_body(status: int) -> None:
    assert read_placed(HttpAnswer(status, error_body())) == Lost(f"HTTP {status}")


@pytest.mark.parametrize(
    "body",
    [
        HTML, b"", b"null", b"[]", success(None), success({}), success([]), success({"order_ids": []}),
        success({"order_ids": None}), success({"order_ids": [None]}), success({"order_ids": [""]}),
        success({"order_ids": ["a b"]}), success({"order_ids": ["x" * 65]}),
        success({"order_ids": [{}]}), success({"order_id": "25"}), error_body(),
        success({"order_ids": ["25"]})[:-1], b'{"data":{"order_ids":["25"]}}',
    ],
)  # fmt: skip
def test_a_success_without_a_readable_order_id_is_lost(body: bytes) -> None:
    assert isinstance(read_placed(HttpAnswer(200, body)), Lost)


def test_several_order_ids_are_lost_and_named() -> None:
    lost = read_placed(HttpAnswer(200, success({"order_ids": ["25", "26"]})))
    assert lost == Lost("2 order ids for one order: 25 26")


def test_words_are_cut_and_without_control_characters() -> None:
    refused = read_placed(HttpAnswer(400, error_body(message="a\x00\r\n\ud800b\u2028" + "x" * 999)))
    assert isinstance(refused, Refused)
    assert refused.detail.startswith("a ?b x")
    assert len(refused.detail) == 300
    assert read_placed(HttpAnswer(400, error_body(message=7))) == Refused("UDAPI1154", "")


@pytest.mark.parametrize("code", ["UDAPI100040", "UDAPI100041"])
def test_a_refusal_tells_that_the_order_is_final(code: str) -> None:
    refused = read_changed(HttpAnswer(400, error_body(code)), "25")
    assert isinstance(refused, Refused)
    assert refused.is_of_final_order


def test_the_data_of_a_read_are_exact() -> None:
    read = read_data(HttpAnswer(200, b'{"status":"success","data":[1310.3000000000002]}'))
    assert str(read) == "[Decimal('1310.3000000000002')]"


def test_only_upstox_itself_refuses_a_token() -> None:
    with pytest.raises(UpstoxUnauthorised, match="UDAPI100050"):
        read_data(HttpAnswer(401, error_body("UDAPI100050")))
    for answer in (
        HttpAnswer(401, HTML),
        HttpAnswer(401, error_body("UDAPI1221")),
        HttpAnswer(403, error_body()),
    ):
        with pytest.raises(UpstoxUnavailable) as raised:
            read_data(answer)
        assert not isinstance(raised.value, UpstoxUnauthorised)


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b"{}", error_body()])
def test_a_read_without_success_is_unavailable(body: bytes) -> None:
    with pytest.raises(UpstoxUnavailable):
        read_data(HttpAnswer(200, body))


def test_a_refusal_can_mean_that_there_is_nothing() -> None:
    nothing = HttpAnswer(404, error_body("UDAPI100010"))
    assert read_data(nothing, "UDAPI100010") == []
    with pytest.raises(UpstoxUnavailable, match="HTTP 404 UDAPI100010: Static IP"):
        read_data(nothing)


@given(
    st.sampled_from([200, 400, 401, 500]),
    st.binary() | ANY_JSON.map(lambda data: repr(data).encode()),
)
def test_no_body_raises_another_error(status: int, body: bytes) -> None:
    answer = HttpAnswer(status, body)
    assert isinstance(read_placed(answer), Lost)
    with pytest.raises(UpstoxUnavailable):
        read_data(answer)


@given(ANY_JSON)
def test_no_data_of_a_success_raise_another_error(data: object) -> None:
    body = json.dumps({"status": "success", "data": data}, default=str).encode()
    assert isinstance(read_placed(HttpAnswer(200, body)), Lost)
    body = json.dumps({"status": "error", "errors": [data]}, default=str).encode()
    assert isinstance(read_placed(HttpAnswer(400, body)), Lost)
