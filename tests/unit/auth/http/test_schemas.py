import pytest
from pydantic import ValidationError

from services.auth.core.entities import AccessToken, LoginSession, User
from services.auth.core.sessions import SessionTokens
from services.auth.http.schemas import Account, SessionBody, SignupRequest, Tokens, UserBody
from tests.unit.auth.fakes import SOURCE, FakeClock


def normalised(email: str) -> str:
    return SignupRequest.model_validate({"email": email, "password": "x"}).email


@pytest.mark.parametrize(
    ("typed", "normal_form"),
    [
        ("Ann.Smith@Example.COM", "ann.smith@example.com"),
        ("  ann@example.com ", "ann@example.com"),
        ("JÜRGEN@example.com", "jürgen@example.com"),
        ("ju\u0308rgen@example.com", "jürgen@example.com"),
        ("ann@BÜCHER.example.com", "ann@bücher.example.com"),
        ("ann@xn--bcher-kva.example.com", "ann@bücher.example.com"),
    ],
)
def test_variants_of_an_address_have_one_normal_form(typed: str, normal_form: str) -> None:
    assert normalised(typed) == normal_form
    assert normalised(normalised(typed)) == normal_form


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@localhost",
        "a b@example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_text_that_is_not_an_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError, match="email"):
        normalised(email)


def test_the_password_is_not_in_the_repr_of_a_request() -> None:
    body = SignupRequest(email="ann@example.com", password="correct horse battery")
    assert "correct horse" not in repr(body)


def test_an_unknown_field_of_a_request_is_refused() -> None:
    with pytest.raises(ValidationError, match="admin"):
        SignupRequest.model_validate(
            {"email": "ann@example.com", "password": "correct horse battery", "admin": True}
        )


def tokens_of(clock: FakeClock, *, by_cookie: bool) -> SessionTokens:
    now = clock.now()
    session = LoginSession("s1", "u1", 0, now, now, now, now, now, SOURCE, by_cookie=by_cookie)
    user = User("u1", "ann@example.com", "v1$hash", now)
    return SessionTokens(user, session, AccessToken("access", 600), "refresh")


def test_a_program_receives_all_tokens_in_the_body(clock: FakeClock) -> None:
    body = Tokens.of(tokens_of(clock, by_cookie=False), device_token="device")
    assert (body.access_token, body.expires_in) == ("access", 600)
    assert (body.refresh_token, body.device_token) == ("refresh", "device")
    assert (body.user_id, body.session_id) == ("u1", "s1")


def test_the_body_of_a_browser_session_contains_no_refresh_token_and_no_device_token(
    clock: FakeClock,
) -> None:
    body = Tokens.of(tokens_of(clock, by_cookie=True), device_token="device")
    assert (body.refresh_token, body.device_token) == (None, None)
    assert body.access_token == "access"


def test_a_session_is_shown_with_the_source_of_its_login(clock: FakeClock) -> None:
    body = SessionBody.of(tokens_of(clock, by_cookie=False).session, current=True)
    assert (body.session_id, body.current) == ("s1", True)
    assert (body.address, body.user_agent) == (SOURCE.address, SOURCE.user_agent)


def test_no_view_of_an_account_contains_the_password_hash(clock: FakeClock) -> None:
    user = User("u1", "ann@example.com", "v1$hash", clock.now(), roles=("admin",))
    assert "v1$hash" not in Account.of(user).model_dump_json()
    assert "v1$hash" not in UserBody.of(user).model_dump_json()
    assert UserBody.of(user).roles == ["admin"]
