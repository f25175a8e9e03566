"""Subjects encode any key reversibly, and malformed ones are refused."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.contracts.subjects import (
    MAX_KEY_CHARS,
    bar_subject,
    candle_subject,
    demand_subject,
    depth_subject,
    key_to_tokens,
    quote_subject,
    tokens_to_key,
)
from shared.errors import Code, InvalidField

# Any text that UTF-8 can encode, without the separator; often characters special to NATS.
parts = st.text(
    st.one_of(
        st.sampled_from(' .*>%&$/+\\"\t\r\n\0_-'),
        st.characters(exclude_categories=["Cs"], exclude_characters="|"),
    ),
    min_size=1,
    max_size=60,
)
keys = st.builds(lambda segment, rest: f"{segment}|{rest}", parts, parts)


@given(keys)
@example("NSE_INDEX|Nifty 50")
@example("NSE_EQ|M&M.*>%41")
@example("\N{GRINNING FACE}|%2525")
def test_the_quote_subject_of_any_key_has_four_plain_tokens_and_can_be_parsed(key: str) -> None:
    subject = quote_subject(key)
    assert re.fullmatch(r"md\.quote\.[A-Za-z0-9_%-]+\.[A-Za-z0-9_%-]+", subject)
    assert tokens_to_key(subject.removeprefix("md.quote.")) == key


@given(keys)
def test_the_bar_subject_of_any_key_has_five_plain_tokens(key: str) -> None:
    assert bar_subject(key) == f"md.bar.5m.{key_to_tokens(key)}"
    assert re.fullmatch(r"md\.bar\.5m\.[A-Za-z0-9_%-]+\.[A-Za-z0-9_%-]+", bar_subject(key))


@given(keys, keys)
def test_two_keys_never_share_a_subject(key: str, other: str) -> None:
    assume(key != other)
    assert quote_subject(key) != quote_subject(other)


def test_a_key_is_encoded_as_documented() -> None:
    assert quote_subject("NSE_INDEX|Nifty 50") == "md.quote.NSE_INDEX.Nifty%2050"
    assert quote_subject("NSE_EQ|é>") == "md.quote.NSE_EQ.%C3%A9%3E"


def test_the_longest_valid_key_has_128_characters() -> None:
    longest = "A|" + "b" * (MAX_KEY_CHARS - 2)
    assert len(longest) == 128
    assert tokens_to_key(key_to_tokens(longest)) == longest


@pytest.mark.parametrize(
    "key",
    ["", "|", "NSE_EQ", "NSE_EQ|", "|INE002A01018", "A|B|C", "A||B", "A|" + "b" * 127, "A|\ud800"],
)
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        quote_subject(key)
    assert (refusal.value.field, refusal.value.code) == ("key", Code.INVALID_FIELD)


@pytest.mark.parametrize(
    "tokens",
    [
        "",
        ".",
        "A",
        "A.",
        ".B",
        "A.B.C",
        "A.%FF",  # no UTF-8
        "A.%C3",
        "A.%ED%A0%80",  # a surrogate
        "A.%",
        "A.%2",
        "A.%GG",
        "A.%2e",  # lower case
        "A.%41",  # escaped without need
        "A.b c",  # not escaped
        "A.é",
        "A.B%7CC",  # a separator within
        "A." + "b" * 127,
    ],
)
def test_tokens_that_encode_no_key_are_refused(tokens: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        tokens_to_key(tokens)
    assert refusal.value.field in {"key", "subject"}


@given(st.text(st.sampled_from("AbZ09_-.%2EeFf|é \ud800"), max_size=20))
def test_accepted_tokens_are_the_encoding_of_their_key(tokens: str) -> None:
    try:
        key = tokens_to_key(tokens)
    except InvalidField:
        return
    assert key_to_tokens(key) == tokens


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", ">", "é"])
def test_a_gateway_name_that_is_not_a_token_is_refused(name: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        demand_subject(name)
    assert refusal.value.field == "gateway"


def test_each_kind_of_message_has_its_own_subject() -> None:
    key = "NSE_INDEX|Nifty 50"
    assert candle_subject(key) == "md.candle.1m.NSE_INDEX.Nifty%2050"
    assert depth_subject(key) == "md.depth.NSE_INDEX.Nifty%2050"
    assert demand_subject("gw-1") == "demand.gw-1"
