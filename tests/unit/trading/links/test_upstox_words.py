"""What Upstox's answers to a login mean."""

import json

import msgspec
import pytest

from services.trading.links.upstox_words import Profile, Request, TokenAnswer, refusal
from shared.errors import LinkRefused, Unavailable


def _body(**fields: object) -> bytes:
    return json.dumps({"status": "error", "errors": [fields]}).encode()


@pytest.mark.parametrize("name", ["errorCode", "error_code"])
def test_a_refusal_has_the_code_and_the_words_of_upstox(name: str) -> None:
    error = refusal(401, _body(message="Invalid Auth code", **{name: "UDAPI100057"}))
    assert isinstance(error, LinkRefused)
    assert error.detail == "Upstox refuses: Invalid Auth code"
    assert error.members == {"upstox_code": "UDAPI100057"}


def test_words_are_cut_and_without_control_characters() -> None:
    error = refusal(400, _body(errorCode="a b", message="x\r\n\x1b[31m" + "y" * 10_000))
    assert isinstance(error, LinkRefused)
    assert error.detail.isprintable()
    assert len(error.detail) < 250
    assert error.members == {}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, _body(errorCode="UDAPI100500", message="oops")),
        (429, _body(errorCode="UDAPI10005", message="Too many requests")),
        (403, b"<html>blocked</html>"),
        (400, b""),
        (400, None),
        (400, b'{"errors": []}'),
        (400, b'{"errors": [1]}'),
        (0, "timed out"),
    ],
)
def test_any_other_failure_is_no_refusal(status: int, body: object) -> None:
    assert isinstance(refusal(status, body), Unavailable)


def test_unknown_fields_of_an_answer_are_ignored_and_known_ones_are_checked() -> None:
    answer = msgspec.json.decode(
        b'{"access_token": "t", "user_id": "AB1234", "products": ["NEW"]}', type=TokenAnswer
    )
    assert answer.access_token == "t"
    assert "t" not in repr(answer).replace("TokenAnswer", "")
    for body in (
        b'{"access_token": "", "user_id": "A"}',
        b'{"access_token": "a b", "user_id": "A"}',
        b'{"access_token": "a", "user_id": null}',
        b'{"user_id": "A"}',
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=TokenAnswer)


def test_a_profile_needs_a_user_only() -> None:
    profile = msgspec.json.decode(b'{"user_id": "AB1234"}', type=Profile)
    assert profile == Profile("AB1234", is_active=True, user_name="")


@pytest.mark.parametrize(
    ("expiry", "expires_ms"),
    [("1767650340000", 1767650340000), (1767650340000, 1767650340000), ("", None), (None, None),
     ("-1", None), ("9" * 16, None), ("tomorrow", None)],
)  # fmt: skip
def test_the_end_of_a_request_is_known_if_upstox_says_it(
    expiry: str | int | None, expires_ms: int | None
) -> None:
    assert Request(expiry).expires_ms == expires_ms
