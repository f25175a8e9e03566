import pytest

from services.auth.core.refresh_tokens import RotationSalt, new_family, new_salt, parse
from shared.errors import Unauthenticated


def test_a_token_contains_its_session_id_and_only_hashes_are_stored() -> None:
    family = new_family("s1")
    token = parse(family.token)
    assert token.session_id == "s1"
    assert (token.family_hash, token.secret_hash) == (family.family_hash, family.secret_hash)
    _, family_part, secret_part = family.token.split(".")
    assert len(family_part) == len(secret_part) == 43
    assert family_part.encode() not in family.family_hash
    assert family.token not in repr(family)


def test_every_new_token_is_different() -> None:
    assert new_family("s1").token != new_family("s1").token


def test_a_successor_has_the_same_family_and_another_secret() -> None:
    family = new_family("s1")
    successor = new_salt().successor(family.token)
    assert parse(successor).session_id == "s1"
    assert parse(successor).family_hash == family.family_hash
    assert parse(successor).secret_hash != family.secret_hash
    assert len(successor) == len(family.token)


def test_a_successor_depends_on_both_the_token_and_the_salt() -> None:
    token = new_family("s1").token
    salt = RotationSalt(b"salt")
    assert salt.successor(token) == salt.successor(token)
    assert salt.successor(token) != new_salt().successor(token)
    assert salt.successor(token) != salt.successor(new_family("s1").token)


def test_the_salt_is_not_in_its_repr() -> None:
    assert "secret" not in repr(RotationSalt(b"secret"))


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.ü", "a" * 99 + ".b." + "c" * 999],
)
def test_text_without_the_form_of_a_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        parse(text)
