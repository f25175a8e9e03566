import pytest
from pydantic import SecretStr

from services.auth.core.policy import PasswordPolicy
from shared.errors import InvalidField

POLICY = PasswordPolicy(min_chars=15, max_chars=128)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "nothing but small letters",
        "पासवर्ड लम्बा वाक्यांश",
        "🔑🐴🔋📎🎈🌵🧦🪐🥁🛶🧩🦔🍋🪁🧲",
        " starts and ends with a space ",
        "f81d4fae7dec11d0",
        "Überlange Sätze, auf die sonst gewiss niemand käme, und die obendrein länger sind als 72 Byte",
    ],
)
def test_a_long_password_of_any_composition_is_accepted(password: str) -> None:
    POLICY.check(SecretStr(password), "ann@example.com")


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("0123456789abcd", "at least 15 characters"),
        ("a sentence of twenty-six " * 6, "at most 128 characters"),
        ("with a NUL \0 inside", "without NUL"),
        ("with a lone \ud800 surrogate", "lone surrogates"),
        ("abababababababababab", "at least 5 different characters"),
        ("0123456789abcde", "too easy to guess: sequences like"),
        ("qwertyuiopasdfgh", "too easy to guess: this is similar to a commonly used"),
        ("passwordpassword1", "too easy to guess: repeats like"),
        ("P@ssw0rd123456789", "too easy to guess"),
        ("iloveyouiloveyou!", "too easy to guess"),
        ("letmeinletmein123", "too easy to guess"),
        ("manchesterunited", "too easy to guess"),
        ("cat" * 40, "at least 5 different characters"),
        ("dragon" * 20, "too easy to guess"),
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


def test_the_field_that_is_to_blame_can_have_another_name() -> None:
    with pytest.raises(InvalidField, match="new_password: must have at least") as raised:
        POLICY.check(SecretStr("short"), "ann@example.com", field="new_password")
    assert raised.value.field == "new_password"
