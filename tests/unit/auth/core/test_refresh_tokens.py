import pytest

from services.auth.core.refresh_tokens import Rotation, new_family, new_rotation, read
from shared.errors import Unauthenticated


def test_a_token_names_its_session_and_is_kept_as_hashes_only() -> None:
    family = new_family("s1")
    shown = read(family.token)
    assert shown.session_id == "s1"
    assert (shown.family_hash, shown.secret_hash) == (family.family_hash, family.secret_hash)
    _, name, secret = family.token.split(".")
    assert len(name) == len(secret) == 43
    assert name.encode() not in family.family_hash
    assert family.token not in repr(family)


def test_no_two_tokens_are_alike() -> None:
    assert new_family("s1").token != new_family("s1").token


def test_a_successor_is_of_the_same_family_with_another_secret() -> None:
    family = new_family("s1")
    successor = new_rotation().successor(family.token)
    assert read(successor).session_id == "s1"
    assert read(successor).family_hash == family.family_hash
    assert read(successor).secret_hash != family.secret_hash
    assert len(successor) == len(family.token)


def test_a_token_has_one_successor_by_each_salt_and_the_salt_alone_tells_nothing() -> None:
    token = new_family("s1").token
    rotation = Rotation(b"salt")
    assert rotation.successor(token) == rotation.successor(token)
    assert rotation.successor(token) != new_rotation().successor(token)
    assert rotation.successor(token) != rotation.successor(new_family("s1").token)
    assert "salt" not in repr(rotation).replace("salt=", "")


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.ü", "a" * 99 + ".b." + "c" * 999],
)
def test_what_has_not_a_tokens_form_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        read(text)
