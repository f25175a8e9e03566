import pytest
from pydantic import SecretStr
from zxcvbn_rs_py import Entropy, zxcvbn

from services.auth.core import password_policy
from services.auth.core.password_policy import PasswordPolicy
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
def test_a_refusal_contains_the_broken_rule_and_the_field(password: str, rule: str) -> None:
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
def test_the_name_of_the_service_or_of_the_user_is_refused(password: str) -> None:
    with pytest.raises(InvalidField, match="must not contain"):
        POLICY.check(SecretStr(password), "annabel.smith+paper@example.com")


def test_a_name_of_less_than_four_characters_is_not_refused() -> None:
    POLICY.check(SecretStr("small animals always fall"), "al@example.com")


def test_the_caller_chooses_the_name_of_the_field() -> None:
    with pytest.raises(InvalidField, match="new_password: must have at least") as raised:
        POLICY.check(SecretStr("short"), "ann@example.com", field="new_password")
    assert raised.value.field == "new_password"


def test_only_the_beginning_of_a_long_password_is_estimated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The cost grows with the square of the length: 100 characters of this text take 0.5 s.
    slow_text = "4@8({[<369!1|0$5+7%2" * 5
    lengths: list[int] = []

    def record(text: str, user_inputs: list[str]) -> Entropy:
        lengths.append(len(text))
        return zxcvbn(text, user_inputs)

    monkeypatch.setattr(password_policy, "zxcvbn", record)
    POLICY.check(SecretStr(slow_text), "ann@example.com")
    assert len(lengths) == 1
    assert lengths[0] <= 40
