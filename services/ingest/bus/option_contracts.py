"""Requests the contracts of an option chain from the persister."""

from typing import Final

from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.option_chains import INSTRUMENTS_OPTIONS, OptionsReply, OptionsRequest
from shared.errors import InvalidField, NotFound
from shared.runtime.clock import Clock

_TIMEOUT_SECS: Final = 2.0


class OptionContracts:
    """The options of the instruments master."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def read(self, underlying: str, expiry: str) -> OptionsReply | None:
        """The options that expire on that day; None if there are none.

        Raises RequestError if the persister does not answer or refuses the request.
        """
        try:
            return await send_request(
                self._bus,
                self._clock,
                INSTRUMENTS_OPTIONS,
                OptionsRequest(underlying=underlying, expiry=expiry),
                OptionsReply,
                timeout_secs=_TIMEOUT_SECS,
            )
        except (NotFound, InvalidField):
            return None
