"""The messages about links: what they accept and what they never show."""

import msgspec
import pytest

from shared.contracts.trading import trading_subject
from shared.contracts.upstox_links import (
    HintKind,
    LinkBeginReply,
    LinkBeginRequest,
    LinkFinishRequest,
    LinkHint,
    LinkOperation,
    LinkPurpose,
    state_user,
)
from shared.errors import InvalidField

SECRET = "s" * 43


def test_operations_have_subjects_like_those_of_orders() -> None:
    assert trading_subject(3, LinkOperation.LINK_BEGIN) == "trading.3.link_begin"


def test_the_user_is_the_part_of_a_state_before_the_last_dot() -> None:
    assert state_user(f"a-B_9.{SECRET}") == "a-B_9"


@pytest.mark.parametrize(
    "state",
    [
        "", ".", SECRET, f".{SECRET}", f"a.{SECRET}x", f"a.{SECRET[1:]}", f"a.b.{SECRET}",
        f"a b.{SECRET}", f"a.{SECRET}\n", f"{'a' * 65}.{SECRET}", f"é.{SECRET}", "a" * 100_000,
    ],
)  # fmt: skip
def test_a_text_that_is_no_state_is_refused(state: str) -> None:
    with pytest.raises(InvalidField) as caught:
        state_user(state)
    assert caught.value.field == "state"


def test_secrets_are_not_shown() -> None:
    messages = [
        LinkBeginRequest(
            user_id="u", purpose=LinkPurpose.TRADING, client_id="c", client_secret="hidden"
        ),
        LinkBeginReply(login_url="http://a/?state=hidden", expires_at=1),
        LinkFinishRequest(user_id="u", is_admin=False, state=f"hidden.{SECRET}", code="hidden"),
        LinkHint(user_id="u", kind=HintKind.TOKEN, access_token="hidden"),
    ]
    for message in messages:
        assert "hidden" not in repr(message)
        assert SECRET not in repr(message)


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": ""}, {"user_id": "a.b"}, {"purpose": "other"}, {"client_id": "a b"},
        {"client_secret": "a\nb"},
        {"client_secret": "a\n"}, {"client_id": "a\n"}, {"client_secret": "x" * 129}, {"more": 1},
    ],
)  # fmt: skip
def test_fields_are_bounded(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"user_id": "u", "purpose": "feed"} | changes, LinkBeginRequest)
