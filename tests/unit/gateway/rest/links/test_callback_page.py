"""The page of the callback shows one text to copy, or words, and nothing of its caller as HTML."""

import re
from html import unescape

import pytest

from services.gateway.rest.links.callback_page import (
    HEADERS,
    answer_page,
    declined_page,
    failed_page,
)
from shared.errors import InvalidField, RateLimited, RequestError, Unavailable

HOSTILE = "<script>alert(1)</script>\"'&{title}{0}"


def test_the_text_to_copy_is_shown_with_a_warning() -> None:
    page = answer_page("user-1.secret:abc123")
    assert "<code>user-1.secret:abc123</code>" in page
    assert "Copy it nowhere else: whoever has it can link your account" in page


def test_a_text_is_never_html_and_can_be_copied_as_it_is() -> None:
    page = answer_page(HOSTILE)
    assert "<script" not in page
    shown = re.search("<code>([^<]*)</code>", page)
    assert shown is not None
    assert unescape(shown[1]) == HOSTILE


def test_the_words_of_an_error_are_text_and_never_html() -> None:
    page = failed_page(Unavailable(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidField("state: x", field="state"), "Start the login again."),
        (RateLimited("x"), "too many requests from your address"),
        (Unavailable("the gateway stops"), "The gateway stops."),
    ],
    ids=["invalid", "limited", "unavailable"],
)
def test_errors_are_said_in_words(error: RequestError, words: str) -> None:
    page = failed_page(error)
    assert "Not linked" in page
    assert words in page


@pytest.mark.parametrize("error", [HOSTILE, "Call 555-0100 now", "access_denied ", "x" * 64])
def test_an_unknown_error_is_not_shown(error: str) -> None:
    page = declined_page(error)
    assert error not in page
    assert "Upstox has ended the login with an error." in page


def test_a_refusal_by_the_user_is_said_in_words() -> None:
    assert "You have not allowed it" in declined_page("access_denied")


def test_every_page_leads_to_the_start_and_has_no_script_style_or_form() -> None:
    for page in (answer_page("a:b"), failed_page(Unavailable("no")), declined_page("x")):
        assert '<a href="/">' in page
        assert re.search(r"<(script|style|form|img|link|iframe)|\son\w+=|style=", page) is None
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'none'; ")
