"""Logs in before each case of schemathesis, so that a logout ends no other case's session.

The command line of schemathesis loads this module by the variable SCHEMATHESIS_HOOKS. The
variables AUTH_URL, AUTH_EMAIL and AUTH_PASSWORD hold the address and the account.
"""

import os
from typing import Any

import requests
import schemathesis

from tests.support import schemathesis_checks
from tests.support.patience import PATIENCE_SECS

__all__ = ["FreshLogin", "schemathesis_checks"]


@schemathesis.auth(refresh_interval=None)
class FreshLogin:
    """Logs in before each case."""

    def get(self, case: schemathesis.Case[Any], context: schemathesis.AuthContext) -> str:
        body = {"email": os.environ["AUTH_EMAIL"], "password": os.environ["AUTH_PASSWORD"]}
        url = os.environ["AUTH_URL"] + "/auth/login"
        response = requests.post(url, json=body, timeout=PATIENCE_SECS)
        response.raise_for_status()
        token: str = response.json()["access_token"]
        return token

    def set(
        self, case: schemathesis.Case[Any], data: str, context: schemathesis.AuthContext
    ) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
