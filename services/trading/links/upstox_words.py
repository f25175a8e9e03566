"""Upstox's answers to calls of the login: what they say, with every field checked. Pure."""

import re
from typing import Annotated, Final

import msgspec

from shared.contracts.upstox_links import AccessToken, UpstoxUserId
from shared.errors import LinkRefused, RequestError, Unavailable

_MAX_WORDS: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_REFUSALS: Final = frozenset({400, 401, 403, 404, 410, 422, 423})
_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,32}")

Name = Annotated[str, msgspec.Meta(max_length=200)]


class Profile(msgspec.Struct, frozen=True):
    """The user of a token. Upstox sends more fields."""

    user_id: UpstoxUserId
    is_active: bool = True
    user_name: Name = ""


class TokenAnswer(msgspec.Struct, frozen=True):
    """The answer to an authorization code."""

    access_token: AccessToken
    user_id: UpstoxUserId

    def __repr__(self) -> str:
        return f"TokenAnswer({self.user_id!r})"


class ProfileAnswer(msgspec.Struct, frozen=True):
    """The answer to a profile call."""

    data: Profile


class Request(msgspec.Struct, frozen=True):
    """Data of Upstox about a request to the user."""

    authorization_expiry: str | int | None = None
    """Epoch ms, as text."""

    @property
    def expires_ms(self) -> int | None:
        """Until when the user may answer; None if Upstox does not say it."""
        text = str(self.authorization_expiry)
        return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


class RequestAnswer(msgspec.Struct, frozen=True):
    """The answer to a request to the user."""

    data: Request


class _Error(msgspec.Struct, frozen=True):
    errorCode: str | None = None  # noqa: N815 - Upstox's name
    error_code: str | None = None
    message: str | None = None


class _Errors(msgspec.Struct, frozen=True):
    errors: list[_Error]


def refusal(status: int | None, body: object) -> RequestError:
    """The error for an answer without success: a refusal if Upstox says so in its form."""
    error = _first_error(body)
    if error is None or status not in _REFUSALS:
        return Unavailable(f"Upstox answers with HTTP {status}; start the login again")
    code = error.errorCode or error.error_code or ""
    words = _CONTROL.sub(" ", error.message or "").strip()[:_MAX_WORDS]
    return LinkRefused(
        f"Upstox refuses: {words or 'no reason given'}",
        upstox_code=code if _CODE.fullmatch(code) else None,
    )


def _first_error(body: object) -> _Error | None:
    if not isinstance(body, bytes | str):
        return None
    try:
        errors = msgspec.json.decode(body, type=_Errors).errors
    except msgspec.DecodeError:
        return None
    return errors[0] if errors else None
