"""Follows the option chains in demand, and publishes each once for all gateways."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from nats.errors import Error as NatsError

from services.ingest.bus.batch_client import BatchClient
from services.ingest.chains.chain_message import chain_message, newest_us
from services.ingest.chains.chain_windows import ChainWindows
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.normalise.normaliser import Normaliser
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.refused_publishes import report_refused
from shared.contracts.option_chains import ChainKey, OptionsReply, encode_chain
from shared.errors import RequestError, TimedOut
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_EVERY_SECS: Final = 0.5
_REPEAT_SECS: Final = 3.0
"""A gateway whose first client comes later, or that missed a message, has the chain within this time."""
_RETRY_SECS: Final = 2.0
"""Time after which contracts that could not be read are asked for again."""
_REFRESH_SECS: Final = 300.0
"""Contracts are read again after so long: the instruments master changes once a day."""


class ContractSource(Protocol):
    """The instruments master."""

    async def read(self, underlying: str, expiry: str) -> OptionsReply | None:
        """The options of an expiry; None if there are none.

        Raises RequestError; TimedOut if there is no answer.
        """
        ...


@dataclass(slots=True)
class _Published:
    """The last message of a chain."""

    newest_us: int = -1
    atm: float = 0.0
    at_secs: float = float("-inf")


class ChainFollower:
    """Work of a term: reads contracts, moves the windows, and publishes the chains.

    A chain is a whole state, so a message that NATS refuses is not repeated.
    """

    def __init__(
        self,
        bus: Bus,
        client: BatchClient,
        term: Term,
        normaliser: Normaliser,
        windows: ChainWindows,
        demand: InstrumentDemand,
        changed: asyncio.Event,
        source: ContractSource,
    ) -> None:
        """`changed` is set when the instruments of the chains have changed."""
        self._bus = bus
        self._client = client
        self._term = term
        self._normaliser = normaliser
        self._windows = windows
        self._demand = demand
        self._changed = changed
        self._source = source
        self._published: dict[ChainKey, _Published] = {}
        self._seq = 0
        self._due_at: dict[tuple[str, str], float] = {}

    async def run_lookups(self) -> None:
        """Read the contracts of the chains in demand, until cancelled.

        A chain that cannot be read does not keep others from being read: those that have waited
        longest come first, and new ones before them.
        """
        while True:
            await self._term.clock.sleep(_EVERY_SECS)
            wanted = {(chain.underlying, chain.expiry): None for chain in self._demand.chains}
            for known in [expiry for expiry in self._due_at if expiry not in wanted]:
                del self._due_at[known]
                self._windows.contracts.pop(known, None)
            await self._look_up_due(wanted)

    async def _look_up_due(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read contracts that are not known, or old, until there is no answer in time."""
        now = self._term.clock.monotonic()
        due_at = {expiry: self._due_at.get(expiry, float("-inf")) for expiry in wanted}
        due = [expiry for expiry in due_at if due_at[expiry] <= now]
        errors = []
        for underlying, expiry in sorted(due, key=due_at.__getitem__):
            error = await self._look_up(underlying, expiry)
            if error is not None:
                errors.append(f"{underlying} {expiry}: {error.detail}")
            if isinstance(error, TimedOut):
                break
        if errors:
            log.info("no contracts of option chains", chains=len(errors), first=errors[0])

    async def _look_up(self, underlying: str, expiry: str) -> RequestError | None:
        """Read the contracts of an expiry; returns the error if that fails."""
        failure: RequestError | None = None
        contracts = self._windows.contracts
        try:
            contracts[underlying, expiry] = await self._source.read(underlying, expiry)
        except RequestError as error:
            failure = error
        pause_secs = _REFRESH_SECS if failure is None else _RETRY_SECS
        self._due_at[underlying, expiry] = self._term.clock.monotonic() + pause_secs
        return failure

    async def run(self) -> None:
        """Publish the chains that have changed, at an interval. Raises LeaseLost."""
        self._demand.set_chain_instruments(())
        while True:
            await self._term.clock.sleep(_EVERY_SECS)
            self._term.check()
            self._move_windows()
            for chain in list(self._windows.windows):
                await self._publish(chain)

    def _move_windows(self) -> None:
        self._windows.update(self._demand.chains, self._last_price)
        for ended in self._published.keys() - self._windows.windows.keys():
            del self._published[ended]
        if self._demand.set_chain_instruments(self._windows.all_keys()):
            self._changed.set()

    def _last_price(self, key: str) -> float | None:
        instrument = self._normaliser.instruments.get(key)
        return None if instrument is None else instrument.quote.ltp

    async def _publish(self, chain: ChainKey) -> None:
        """Publish a chain if it has changed, or has not been published for a while."""
        now = self._term.clock.monotonic()
        instruments = self._normaliser.instruments
        last = self._published.setdefault(chain, _Published())
        newest = newest_us(self._windows, chain, instruments)
        window = self._windows.windows[chain]
        atm = window[self._windows.at_the_money[chain]].strike
        is_same = (newest, atm) == (last.newest_us, last.atm)
        if (is_same and now - last.at_secs < _REPEAT_SECS) or not self._bus.can_publish:
            return
        self._seq += 1
        message = chain_message(
            self._windows, chain, instruments, epoch=self._term.epoch, seq=self._seq,
            now_us=self._term.clock.now_us(),
        )  # fmt: skip
        try:
            await self._client.publish_batch([(chain.subject.encode(), encode_chain(message))])
        except (NatsError, OSError) as error:
            report_refused("chain", error)
            return
        last.newest_us, last.atm, last.at_secs = newest, atm, now
        await asyncio.sleep(0)  # a wide chain takes some hundred microseconds: frames come first
