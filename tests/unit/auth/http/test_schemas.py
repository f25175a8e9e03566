import pytest
from pydantic import ValidationError

from services.auth.http.schemas import SignupRequest


def spelling(email: str) -> str:
    return SignupRequest.model_validate({"email": email, "password": "x"}).email


@pytest.mark.parametrize(
    ("typed", "unique"),
    [
        ("Ann.Smith@Example.COM", "ann.smith@example.com"),
        ("  ann@example.com ", "ann@example.com"),
        ("JÜRGEN@example.com", "jürgen@example.com"),
        ("ju\u0308rgen@example.com", "jürgen@example.com"),
        ("ann@BÜCHER.example.com", "ann@bücher.example.com"),
        ("ann@xn--bcher-kva.example.com", "ann@bücher.example.com"),
    ],
)
def test_spellings_of_one_address_are_one_account(typed: str, unique: str) -> None:
    assert spelling(typed) == unique
    assert spelling(spelling(typed)) == unique


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
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError, match="email"):
        spelling(email)


def test_a_password_is_not_in_what_a_traceback_would_print() -> None:
    body = SignupRequest(email="ann@example.com", password="correct horse battery")
    assert "correct horse" not in repr(body)
