"""Revocations are encoded, decoded and applied to tokens."""

from dataclasses import dataclass

import pytest

from shared.contracts.revocations import (
    Revocation,
    Revocations,
    SessionRevoked,
    UserRevoked,
    decode,
    encode,
)
from shared.errors import InvalidField


@dataclass(frozen=True)
class Token:
    user_id: str = "u1"
    session_id: str = "s1"
    issued_at: int = 1_000


@pytest.mark.parametrize(
    "revocation",
    [
        SessionRevoked(session_id="s1", until=1_610),
        UserRevoked(user_id="u1", before=1_000, until=1_610),
    ],
)
def test_a_revocation_is_unchanged_through_encoding(revocation: Revocation) -> None:
    assert decode(*encode(revocation)) == revocation


def test_subjects_and_messages_are_as_documented() -> None:
    assert encode(SessionRevoked(session_id="s1", until=9)) == (
        "$KV.revocations.session.s1",
        b'{"until":9}',
    )
    assert encode(UserRevoked(user_id="u1", before=8, until=9)) == (
        "$KV.revocations.user.u1",
        b'{"before":8,"until":9}',
    )


@pytest.mark.parametrize("session_id", ["", "a.b", "*", ">", "a b"])
def test_an_id_that_is_not_one_token_is_refused(session_id: str) -> None:
    with pytest.raises(InvalidField):
        encode(SessionRevoked(session_id=session_id, until=1))


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        ("$KV.revocations.other.x", b'{"until":9}'),
        ("$KV.leases.ingest", b'{"until":9}'),
        ("$KV.revocations.session.s1", b""),
        ("$KV.revocations.user.u1", b'{"until":9}'),
    ],
)
def test_a_malformed_revocation_is_a_value_error(subject: str, value: bytes) -> None:
    with pytest.raises(ValueError):
        decode(subject, value)


def test_all_tokens_of_a_revoked_session_are_revoked_and_no_others() -> None:
    revocations = Revocations()
    revocations.add(SessionRevoked(session_id="s1", until=9_999))
    assert revocations.is_revoked(Token())
    assert revocations.is_revoked(Token(issued_at=9_000))
    assert not revocations.is_revoked(Token(session_id="s2"))


def test_tokens_of_a_revoked_user_are_revoked_up_to_the_given_time() -> None:
    revocations = Revocations()
    revocations.add(UserRevoked(user_id="u1", before=1_000, until=9_999))
    assert revocations.is_revoked(Token(issued_at=1_000))
    assert not revocations.is_revoked(Token(issued_at=1_001))
    assert not revocations.is_revoked(Token(user_id="u2"))


def test_an_older_revocation_that_arrives_late_has_no_effect() -> None:
    revocations = Revocations()
    revocations.add(UserRevoked(user_id="u1", before=1_000, until=2_000))
    revocations.add(UserRevoked(user_id="u1", before=500, until=1_500))
    revocations.add(SessionRevoked(session_id="s9", until=2_000))
    revocations.add(SessionRevoked(session_id="s9", until=1_500))
    revocations.remove_expired(1_600)
    assert len(revocations) == 2
    assert revocations.is_revoked(Token(issued_at=900))


def test_expired_revocations_are_removed() -> None:
    revocations = Revocations()
    revocations.add(SessionRevoked(session_id="s1", until=2_000))
    revocations.add(UserRevoked(user_id="u1", before=1_000, until=2_000))
    revocations.remove_expired(1_999)
    assert len(revocations) == 2
    revocations.remove_expired(2_000)
    assert len(revocations) == 0
