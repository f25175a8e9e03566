"""The instruments of Upstox's master: by words, by name and by key."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from tradedad_client import market_requests as requests
from tradedad_client import names
from tradedad_client.errors import NotFound, UnknownInstrument
from tradedad_client.market_messages import Instrument, InstrumentDetail, InstrumentList
from tradedad_client.rest import RestClient

_MOST_RESULTS: Final = 50
_KEYS_PER_REQUEST: Final = 50
_SEARCHES_AT_ONCE: Final = 8
_MOST_REMEMBERED: Final = 20_000
_BEGINNING: Final = 3
"""Letters of a name that nothing matches, to search for similar ones."""


class Instruments:
    """Search and look-up of instruments.

    A name is a trading symbol (``RELIANCE``), the name of an index (``Nifty 50``), an ISIN or an
    instrument key. NSE comes first; ``BSE:RELIANCE`` and ``NSE_FO:...`` name another exchange or
    segment. Letter case does not matter. What was found is remembered until the client closes.
    """

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest
        self._found: dict[str, Instrument] = {}
        self._turn = asyncio.Semaphore(_SEARCHES_AT_ONCE)

    async def search(
        self,
        words: str,
        *,
        type: str | Sequence[str] = (),  # noqa: A002  (the parameter's name in REST)
        segment: str | Sequence[str] = (),
        expiry: str | None = None,
        limit: int = 20,
    ) -> list[Instrument]:
        """Return the instruments that match all words, the best match first; at most 50."""
        request = requests.search(
            words, types=_several(type), segments=_several(segment), expiry=expiry, limit=limit
        )
        return (await self._rest.send(request, InstrumentList)).instruments

    async def get(self, name: str) -> Instrument:
        """Return the instrument that a name or key means. Raises UnknownInstrument."""
        return (await self.get_many([name]))[0]

    async def get_many(self, names_or_keys: Iterable[str]) -> list[Instrument]:
        """Return instruments in the order of their names.

        Raises one UnknownInstrument that has all unknown names.
        """
        wanted = list(names_or_keys)
        missing = [name for name in dict.fromkeys(wanted) if name not in self._found]
        found: dict[str, Instrument] = {
            name: self._found[name] for name in wanted if name not in missing
        }
        keys = [name for name in missing if names.is_key(name)]
        for start in range(0, len(keys), _KEYS_PER_REQUEST):
            request = requests.instruments(keys[start : start + _KEYS_PER_REQUEST])
            page = await self._rest.send(request, InstrumentList)
            found |= {one.key: one for one in page.instruments}
        others = [name for name in missing if not names.is_key(name)]
        suggestions: dict[str, list[str]] = {}
        try:
            async with asyncio.TaskGroup() as tasks:
                searches = {name: tasks.create_task(self._find(name)) for name in others}
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        for name, search in searches.items():
            instrument, suggestions[name] = search.result()
            if instrument is not None:
                found[name] = instrument
        self._remember(found)
        unknown = [name for name in missing if name not in found]
        if unknown:
            raise UnknownInstrument(
                unknown, [one for name in unknown for one in suggestions.get(name, ())]
            )
        return [found[name] for name in wanted]

    async def detail(self, name: str) -> InstrumentDetail:
        """Return an instrument with its price band and other reference data of the day.

        Raises UnknownInstrument.
        """
        key = await self.key(name)
        try:
            return await self._rest.send(requests.instrument(key), InstrumentDetail)
        except NotFound:
            raise UnknownInstrument([key]) from None

    async def key(self, name: str) -> str:
        """Return the key of an instrument; a key is returned as it is."""
        return name if names.is_key(name) else (await self.get(name)).key

    async def _find(self, text: str) -> tuple[Instrument | None, list[str]]:
        """Return the instrument of a name, or None, and symbols that are similar."""
        name = names.parse(text)
        segments = () if name.segment is None else (name.segment,)
        async with self._turn:
            matches = await self.search(name.text, segment=segments, limit=_MOST_RESULTS)
            chosen = names.choose(name, matches)
            if chosen is None and not matches:
                matches = await self.search(name.text[:_BEGINNING], limit=_MOST_RESULTS)
        return chosen, names.similar(name, matches)

    def _remember(self, found: dict[str, Instrument]) -> None:
        if len(self._found) + len(found) > _MOST_REMEMBERED:
            self._found.clear()
        self._found |= found


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
