"""For schemathesis: a login of its own for every case, so that a logout ends none but itself.

Loaded by its command line, as SCHEMATHESIS_HOOKS; `AUTH_URL`, `AUTH_EMAIL` and
`AUTH_PASSWORD` in the environment say where and as whom.
"""

import os
from typing import Any

import requests
import schemathesis


@schemathesis.auth(refresh_interval=None)
class FreshLogin:
    """Logs in before each case."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
        body = {"email": os.environ["AUTH_EMAIL"], "password": os.environ["AUTH_PASSWORD"]}
        url = os.environ["AUTH_URL"] + "/auth/login"
        response = requests.post(url, json=body, timeout=10)
        response.raise_for_status()
        token: str = response.json()["access_token"]
        return token

    def set(
        self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext
    ) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
