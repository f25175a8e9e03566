"""The text that a user copies from the callback's page to finish a login at Upstox. Pure.

It is ``<state>:<code>``. A state has no colon.
"""

from typing import Final

import msgspec

from shared.contracts.upstox_links import (
    MAX_CODE_CHARS,
    MAX_STATE_CHARS,
    AuthorizationCode,
    state_user,
)
from shared.errors import InvalidField

MAX_ANSWER_CHARS: Final = MAX_STATE_CHARS + 1 + MAX_CODE_CHARS
_RULE: Final = "must be the whole text of the page that Upstox has led to, <state>:<code>"


class LoginAnswer(msgspec.Struct, frozen=True):
    """Upstox's answer to a login. Both fields are checked."""

    state: str
    code: str

    def __repr__(self) -> str:
        return "LoginAnswer()"

    @property
    def user_id(self) -> str:
        """The user who has begun the login, as the state says."""
        return state_user(self.state)


def login_answer(state: str, code: str) -> LoginAnswer:
    """Check what the browser brings back. Raises InvalidField."""
    state_user(state)
    try:
        msgspec.convert(code, AuthorizationCode)
    except msgspec.ValidationError:
        rule = f"must be 1 to {MAX_CODE_CHARS} visible characters of ASCII"
        raise InvalidField(f"code: {rule}", field="code") from None
    return LoginAnswer(state, code)


def to_text(answer: LoginAnswer) -> str:
    """The text to copy. It may have characters that HTML must escape."""
    return f"{answer.state}:{answer.code}"


def from_text(text: str) -> LoginAnswer:
    """Parse a text that was copied. Raises InvalidField, without the text in it."""
    state, _, code = text.partition(":")
    try:
        return login_answer(state, code)
    except InvalidField:
        raise InvalidField(f"answer: {_RULE}", field="answer") from None
