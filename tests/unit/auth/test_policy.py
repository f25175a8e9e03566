import pytest
from pydantic import SecretStr

from services.auth.policy import PasswordPolicy
from shared.errors import InvalidField

POLICY = PasswordPolicy(min_chars=15, max_chars=128)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "nothing but small letters",
        "पासवर्ड लम्बा वाक्यांश",
        "🔑🐴🔋📎🎈🔑🐴🔋📎🎈🔑🐴🔋📎🎈",
        " starts and ends with a space ",
        "x" * 100 + "abcdefghijklmnop",
        "0123456789abcde",
        "0123456789" * 12 + "abcdefgh",
    ],
)
def test_a_long_password_of_any_composition_is_accepted(password: str) -> None:
    POLICY.check(SecretStr(password), "ann@example.com")


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("0123456789abcd", "at least 15 characters"),
        ("0123456789" * 12 + "abcdefghi", "at most 128 characters"),
        ("with a NUL \0 inside", "without NUL"),
        ("with a lone \ud800 surrogate", "lone surrogates"),
        ("abababababababababab", "at least 5 different characters"),
    ],
)
def test_the_broken_rule_is_said_and_the_field_named(password: str, rule: str) -> None:
    with pytest.raises(InvalidField, match=rule) as raised:
        POLICY.check(SecretStr(password), "ann@example.com")
    assert raised.value.field == "password"
    assert password not in raised.value.detail


@pytest.mark.parametrize(
    "password",
    [
        "my tradedad password",
        "my Trade-Dad password",
        "TRADE DAD for the win",
        "annabel.smith has one",
        "Annabel Smith has one",
        "annabelsmithpaper wins",
    ],
)
def test_words_that_an_attacker_would_try_first_are_refused(password: str) -> None:
    with pytest.raises(InvalidField, match="must not contain"):
        POLICY.check(SecretStr(password), "annabel.smith+paper@example.com")


def test_a_name_that_is_in_many_words_by_chance_is_not_held_against_anyone() -> None:
    POLICY.check(SecretStr("small animals always fall"), "al@example.com")
