"""Reads how far bars are stored, and how much is missing, to answer requests over the bus."""

from pymongo.errors import PyMongoError

from services.persister.storage.bar_store import BARS, GAPS
from services.persister.storage.documents import CHECKPOINT_ID, CHECKPOINTS, to_ms
from shared.contracts.history import (
    MAX_COUNTED,
    GapState,
    HistoryState,
    HistoryStateRequest,
)
from shared.contracts.messages import BarState
from shared.errors import Unavailable
from shared.runtime.mongo import Mongo


class HistoryStateReader:
    """Answers the request `history.state`. Any process may, leader or not."""

    def __init__(self, mongo: Mongo) -> None:
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)
        self._checkpoints = mongo.db.get_collection(CHECKPOINTS)

    async def read(self, _: HistoryStateRequest) -> HistoryState:
        """The state now. Raises Unavailable if the database does not answer."""
        try:
            checkpoint = await self._checkpoints.find_one(
                {"_id": CHECKPOINT_ID}, {"closed_until": 1}
            )
            partial = await self._bars.count_documents(
                {"state": BarState.PARTIAL.value}, limit=MAX_COUNTED
            )
            open_gaps = await self._count_gaps(GapState.OPEN)
            abandoned = await self._count_gaps(GapState.ABANDONED)
        except PyMongoError:
            raise Unavailable("the state of the history cannot be read at the moment") from None
        closed_until = None if checkpoint is None else checkpoint.get("closed_until")
        return HistoryState(
            stored_until_ms=None if closed_until is None else to_ms(closed_until),
            partial_bars=partial,
            open_gaps=open_gaps,
            abandoned_gaps=abandoned,
        )

    async def _count_gaps(self, state: GapState) -> int:
        return await self._gaps.count_documents({"state": state.value}, limit=MAX_COUNTED)
