"""The operations that read figures of the system."""

from typing import Final

from services.gateway.rest.base_responses import BEARER, LIMITS, TOKEN_ERRORS
from services.gateway.rest.figures.schemas import Figures, StoredHistory
from shared.errors import Forbidden, Overloaded, TimedOut
from shared.web.openapi import Operation

FIGURES: Final = Operation(
    method="GET", path="/v1/admin/gateway", name="gatewayFigures", tags=["admin"],
    summary="Streams, subscriptions and instruments of the gateway that answers.",
    responses={200: Figures}, errors=(*TOKEN_ERRORS, Forbidden),
    headers=LIMITS, security=(BEARER,),
)  # fmt: skip

HISTORY: Final = Operation(
    method="GET", path="/v1/admin/history", name="historyFigures", tags=["admin"],
    summary="How far bars are stored, and what is missing.",
    responses={200: StoredHistory},
    errors=(*TOKEN_ERRORS, Forbidden, Overloaded, TimedOut),
    headers=LIMITS, security=(BEARER,),
)  # fmt: skip

ALL: Final = (FIGURES, HISTORY)
