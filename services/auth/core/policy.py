"""Which passwords are good enough.

Beyond length, what counts is how soon an attacker would guess it: zxcvbn knows the
passwords that people choose most, words, names, dates, keyboard rows and their variants.
"""

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr
from zxcvbn_rs_py import zxcvbn

from shared.errors import InvalidField

_SERVICE_NAME: Final = "tradedad"
# A shorter name, like "al", is in too many good passphrases by chance.
_MIN_CONTEXT_CHARS: Final = 4
_MIN_DISTINCT_CHARS: Final = 5
# zxcvbn's own bound for "safely unguessable": at least 10^8 guesses.
_MIN_SCORE: Final = 3
# As many characters as zxcvbn looks at; what is strong so far does not get weaker.
_LOOKED_AT_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Rules for a new password; lengths count characters, not bytes.

    No rule asks for digits or signs, and nothing is trimmed or normalised: what
    was received is what will be verified.
    """

    min_chars: int
    max_chars: int

    def check(self, password: SecretStr, email: str, *, field: str = "password") -> None:
        """Raises InvalidField, naming `field`, for the first rule that `password` breaks."""
        rule = self._broken_rule(password.get_secret_value(), email)
        if rule is not None:
            raise InvalidField(f"{field}: {rule}", field=field)

    def _broken_rule(self, text: str, email: str) -> str | None:
        if len(text) < self.min_chars:
            return f"must have at least {self.min_chars} characters"
        if len(text) > self.max_chars:
            return f"must have at most {self.max_chars} characters"
        if "\0" in text or not _is_text(text):
            return "must be text without NUL characters or lone surrogates"
        if len(set(text)) < _MIN_DISTINCT_CHARS:
            return f"must have at least {_MIN_DISTINCT_CHARS} different characters"
        squeezed = _squeeze(text)
        if any(word in squeezed for word in _context_words(email)):
            return "must not contain the e-mail's name or the name of this service"
        return _why_guessable(text, email)


def _why_guessable(text: str, email: str) -> str | None:
    entropy = zxcvbn(text[:_LOOKED_AT_CHARS], [email, *email.replace("@", ".").split(".")])
    # The type stub says int; it is a number of a kind of its own.
    if int(entropy.score) >= _MIN_SCORE:
        return None
    warning = entropy.feedback.warning if entropy.feedback else None
    hint = f": {str(warning)[:1].lower()}{str(warning)[1:].rstrip('.')}" if warning else ""
    return f"is too easy to guess{hint}; a few uncommon words are better"


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
