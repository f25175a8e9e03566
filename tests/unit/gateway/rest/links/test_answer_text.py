"""The text to copy has state and code, and what is no such text is refused by its rule."""

import pytest

from services.gateway.rest.links.answer_text import (
    MAX_ANSWER_CHARS,
    from_text,
    login_answer,
    to_text,
)
from shared.errors import InvalidField

SECRET = "s" * 43
STATE = f"user-1.{SECRET}"


@pytest.mark.parametrize("code", ["c", "abc123", "a:b::", "<&\"'>", "!" * 512])
def test_a_text_gives_the_state_and_the_code_again(code: str) -> None:
    answer = from_text(to_text(login_answer(STATE, code)))
    assert (answer.state, answer.code, answer.user_id) == (STATE, code, "user-1")


def test_the_longest_text_is_accepted() -> None:
    text = to_text(login_answer("u" * 64 + f".{SECRET}", "c" * 512))
    assert len(text) == MAX_ANSWER_CHARS
    assert to_text(from_text(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "c", STATE, f"{STATE}:", f":{STATE}", f"user-1:{SECRET}:c", f"{STATE}: c",
        f"{STATE}:c d", f"{STATE}:c\n", f"{STATE}\n:c", f"{STATE}:\u00e9", f" {STATE}:c",
        f"{STATE}x:c", f"a/b.{SECRET}:c", f"{STATE}:{'c' * 513}", "https://a.example/?code=c",
    ],
)  # fmt: skip
def test_a_text_of_another_form_is_refused_by_its_rule_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        from_text(text)
    assert caught.value.field == "answer"
    assert "<state>:<code>" in caught.value.detail
    assert SECRET not in caught.value.detail


@pytest.mark.parametrize(
    ("state", "code", "field"),
    [("", "c", "state"), (SECRET, "c", "state"), (STATE, "", "code"), (STATE, "c d", "code")],
)
def test_what_a_browser_brings_is_checked(state: str, code: str, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        login_answer(state, code)
    assert caught.value.field == field


def test_the_secret_is_not_in_the_repr() -> None:
    answer = login_answer(STATE, "c0de")
    assert SECRET not in repr(answer)
    assert "c0de" not in repr(answer)
