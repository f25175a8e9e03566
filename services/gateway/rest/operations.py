"""The OpenAPI document of all operations below /v1."""

import json
from typing import Final

from services.gateway.rest.base_responses import SECURITY_SCHEMES
from services.gateway.rest.figures import operations as figures
from services.gateway.rest.links import operations as links
from services.gateway.rest.market import operations as market
from services.gateway.rest.trading import operations as trading
from services.gateway.rest.trading_admin import operations as trading_admin
from shared.web.openapi import document

_DESCRIPTION: Final = """\
Stored bars, instruments, last quotes, the state of the market feed, orders, accounts and their links
to Upstox. Every request carries an access token, obtained by `POST /auth/login` on the same host (see
`/auth/openapi.json`). Live quotes and order events are on the WebSocket at `/ws`. Errors are
`application/problem+json` with a stable `code`. Unknown parameters are refused. A command for
orders or accounts has the header `Idempotency-Key`: repeated with the same key, it is executed
once. Amounts are exact: decimal strings.
"""

ALL: Final = (*market.ALL, *trading.ALL, *trading_admin.ALL, *links.ALL, *figures.ALL)


def openapi() -> str:
    """The OpenAPI document, as JSON."""
    openapi_document = document(
        title="Trade Dad REST",
        version="1",
        description=_DESCRIPTION,
        operations=ALL,
        security_schemes=SECURITY_SCHEMES,
    )
    return json.dumps(openapi_document, indent=2, ensure_ascii=False) + "\n"
