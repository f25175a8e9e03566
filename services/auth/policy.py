"""Which passwords are good enough for a new account."""

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from shared.errors import InvalidField

_SERVICE_NAME: Final = "tradedad"
# A shorter name, like "al", is in too many good passphrases by chance.
_MIN_CONTEXT_CHARS: Final = 4
_MIN_DISTINCT_CHARS: Final = 5


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Rules for a password at sign-up; lengths count characters, not bytes.

    No rule asks for digits or signs, and nothing is trimmed or normalised: what
    was received is what will be verified.
    """

    min_chars: int
    max_chars: int

    def check(self, password: SecretStr, email: str) -> None:
        """Raises InvalidField for the first rule that `password` breaks."""
        text = password.get_secret_value()
        if len(text) < self.min_chars:
            raise _broken(f"must have at least {self.min_chars} characters")
        if len(text) > self.max_chars:
            raise _broken(f"must have at most {self.max_chars} characters")
        if "\0" in text or not _is_text(text):
            raise _broken("must be text without NUL characters or lone surrogates")
        if len(set(text)) < _MIN_DISTINCT_CHARS:
            raise _broken(f"must have at least {_MIN_DISTINCT_CHARS} different characters")
        squeezed = _squeeze(text)
        if any(word in squeezed for word in _context_words(email)):
            raise _broken("must not contain the e-mail's name or the name of this service")


def _broken(rule: str) -> InvalidField:
    return InvalidField(f"password: {rule}", field="password")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _squeeze(value: str) -> str:
    """Case and separators do not hide a word: `Trade-Dad` is `tradedad`."""
    return "".join(char for char in value.casefold() if char.isalnum())


def _context_words(email: str) -> list[str]:
    local = email.partition("@")[0]
    names = {_squeeze(local), _squeeze(local.partition("+")[0])}
    return [_SERVICE_NAME, *(name for name in names if len(name) >= _MIN_CONTEXT_CHARS)]
