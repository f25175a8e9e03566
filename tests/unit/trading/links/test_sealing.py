"""Sealed values open only with their key, unchanged and in their place."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.links.sealing import KeyRing, Place, SealBroken, UnknownSealKey, key_of

PLACE = Place("upstox_links", "user-1", "token")
OLD, NEW = "20260101T000000000Z-aaaa", "20260201T000000000Z-bbbb"
RING = KeyRing({OLD: os.urandom(32), NEW: os.urandom(32)})


@given(st.text())
def test_what_was_sealed_opens(text: str) -> None:
    assert RING.open(RING.seal(text, PLACE), PLACE) == text


def test_the_newest_key_seals_and_every_key_opens() -> None:
    sealed_before = KeyRing({OLD: RING.keys[OLD]}).seal("secret", PLACE)
    assert key_of(sealed_before) == OLD
    assert key_of(RING.seal("secret", PLACE)) == NEW
    assert RING.open(sealed_before, PLACE) == "secret"


def test_the_same_text_is_never_sealed_to_the_same_value() -> None:
    assert len({RING.seal("secret", PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "place",
    [
        Place("upstox_logins", "user-1", "token"),
        Place("upstox_links", "user-2", "token"),
        Place("upstox_links", "user-1", "secret"),
    ],
)
def test_a_value_that_was_moved_does_not_open(place: Place) -> None:
    with pytest.raises(SealBroken, match="changed or moved"):
        RING.open(RING.seal("secret", PLACE), place)


def test_a_value_of_which_any_byte_was_changed_does_not_open() -> None:
    version, key_id, text = RING.seal("secret", PLACE).split(".")
    sealed = base64.b64decode(text)
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        with pytest.raises(SealBroken):
            RING.open(f"{version}.{key_id}.{base64.b64encode(changed).decode()}", PLACE)


def test_a_value_under_the_name_of_another_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        RING.open(RING.seal("secret", PLACE).replace(NEW, OLD), PLACE)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UnknownSealKey, match=NEW):
        KeyRing({OLD: RING.keys[OLD]}).open(RING.seal("secret", PLACE), PLACE)


@pytest.mark.parametrize(
    "text", ["", "secret", "v1", "v1.", "v1..", f"v2.{OLD}.AAAA", f"v1.{OLD}", "v1.a b.AAAA"]
)
def test_what_is_not_a_sealed_value_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken, match="not a sealed value"):
        RING.open(text, PLACE)


@pytest.mark.parametrize("text", ["", "A", "AAAA", "!!!!", "A" * 16, "é"])
def test_a_sealed_value_that_is_cut_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken, match="changed or moved"):
        RING.open(f"v1.{OLD}.{text}", PLACE)


def test_keys_are_not_shown() -> None:
    assert repr(RING) == "KeyRing()"
