"""The page of the callback says what has happened, and shows no text of its caller as HTML."""

import re

import msgspec
import pytest

from services.gateway.rest.links.callback_page import (
    HEADERS,
    declined_page,
    failed_page,
    linked_page,
)
from shared.contracts.upstox_links import LinkPurpose
from shared.errors import LinkRefused, LinkStateInvalid, LinkTaken, RequestError, Unavailable
from tests.support.gateway.fake_links import LINKED

HOSTILE = "<script>alert(1)</script>\"'&{title}{0}"


def test_a_linked_account_is_named() -> None:
    page = linked_page(LINKED)
    assert "The Upstox account 7BB2AA (Asha Rao) is linked for your orders." in page
    feed = linked_page(msgspec.structs.replace(LINKED, purpose=LinkPurpose.FEED))
    assert "for the market feed" in feed


def test_names_of_upstox_are_text_and_never_html() -> None:
    page = linked_page(msgspec.structs.replace(LINKED, user_name=HOSTILE, upstox_user_id="<b>&lt;"))
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;{title}{0}" in page


def test_the_words_of_upstox_are_text_and_never_html() -> None:
    page = failed_page(LinkRefused(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LinkStateInvalid("x"), "Start it again."),
        (
            LinkTaken("another user has linked this account"),
            "Another user has linked this account.",
        ),
        (Unavailable("Upstox does not answer"), "Upstox does not answer."),
    ],
    ids=["state", "taken", "unavailable"],
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
    for page in (linked_page(LINKED), failed_page(LinkTaken("no")), declined_page("x")):
        assert '<a href="/">' in page
        assert re.search(r"<(script|style|form|img|link|iframe)|\son\w+=|style=", page) is None
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'none'; ")
