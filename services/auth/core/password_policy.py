"""Rules for new passwords.

Apart from its length, a password is judged by the number of guesses that an attacker would
need. zxcvbn estimates it from lists of common passwords, words, names, dates, keyboard rows
and their variants.
"""

from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr
from zxcvbn_rs_py import zxcvbn

from shared.errors import InvalidField

_SERVICE_NAME: Final = "tradedad"
# A shorter name, like "al", is part of many good passphrases by chance.
_MIN_CONTEXT_CHARS: Final = 4
_MIN_DISTINCT_CHARS: Final = 5
# zxcvbn's score for "safely unguessable": at least 10^8 guesses.
_MIN_SCORE: Final = 3
# The number of characters that zxcvbn examines. Further characters cannot weaken a password. Some
# texts of 100 characters take half a second of a core, the worst of 32 about 60 ms.
_EXAMINED_CHARS: Final = 32


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Rules for a new password; lengths count characters, not bytes.

    No rule requires digits or symbols. Nothing is trimmed or normalised: later logins are
    verified against exactly the text that was received.
    """

    min_chars: int
    max_chars: int

    def check(self, password: SecretStr, email: str, *, field: str = "password") -> None:
        """Raises InvalidField, naming `field`, for the first rule that `password` breaks.

        Too slow for the event loop.
        """
        rule = self._broken_rule(password.get_secret_value(), email)
        if rule is not None:
            raise InvalidField(f"{field}: {rule}", field=field)

    def _broken_rule(self, text: str, email: str) -> str | None:
        if len(text) < self.min_chars:
            return f"must have at least {self.min_chars} characters"
        if len(text) > self.max_chars:
            return f"must have at most {self.max_chars} characters"
        if "\0" in text or not _is_encodable(text):
            return "must be text without NUL characters or lone surrogates"
        if len(set(text)) < _MIN_DISTINCT_CHARS:
            return f"must have at least {_MIN_DISTINCT_CHARS} different characters"
        letters = _alphanumeric(text)
        if any(word in letters for word in _context_words(email)):
            return "must not contain the e-mail address's name or the name of this service"
        return _guessability_problem(text, email)


def _guessability_problem(text: str, email: str) -> str | None:
    entropy = zxcvbn(text[:_EXAMINED_CHARS], [email, *email.replace("@", ".").split(".")])
    # The type stub declares an int; the library returns a numeric type of its own.
    if int(entropy.score) >= _MIN_SCORE:
        return None
    warning = entropy.feedback.warning if entropy.feedback else None
    hint = f": {str(warning)[:1].lower()}{str(warning)[1:].rstrip('.')}" if warning else ""
    return f"is too easy to guess{hint}; a few uncommon words are better"


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _alphanumeric(value: str) -> str:
    """Remove case and separators, so that `Trade-Dad` compares equal to `tradedad`."""
    return "".join(char for char in value.casefold() if char.isalnum())


def _context_words(email: str) -> list[str]:
    local = email.partition("@")[0]
    names = {_alphanumeric(local), _alphanumeric(local.partition("+")[0])}
    return [_SERVICE_NAME, *(name for name in names if len(name) >= _MIN_CONTEXT_CHARS)]
