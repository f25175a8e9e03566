from services.auth.core.entities import AccessToken, User
from tests.unit.auth.fakes import FakeClock


def test_the_password_hash_is_not_in_the_repr_of_a_user(clock: FakeClock) -> None:
    assert "v1$hash" not in repr(User("u1", "ann@example.com", "v1$hash", clock.now()))


def test_the_token_is_not_in_the_repr_of_an_access_token() -> None:
    assert "secret" not in repr(AccessToken("secret", 600))
