"""The `state` of a login: who has started it, and a secret that only their program and browser get.

Only its hash is stored, so that a reader of the database cannot finish another user's login.
"""

import hashlib
import secrets
from typing import Final
from urllib.parse import urlencode

LOGIN_SECS: Final = 600
"""How long a login may take."""
_SECRET_BYTES: Final = 32
_DIALOG_PATH: Final = "/v2/login/authorization/dialog"


def new_state(user_id: str) -> str:
    """``<user id>.<43 random characters>``."""
    return f"{user_id}.{secrets.token_urlsafe(_SECRET_BYTES)}"


def state_hash(state: str) -> str:
    """Hash of a state; only the hash is stored."""
    return hashlib.sha256(state.encode()).hexdigest()


def login_url(api_url: str, client_id: str, redirect_url: str, state: str) -> str:
    """Upstox's login page. The SDK's `authorize` call omits the response type."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "state": state,
    }
    return f"{api_url}{_DIALOG_PATH}?{urlencode(query)}"
