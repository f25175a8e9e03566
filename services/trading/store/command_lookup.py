"""Finds stored commands: what is asked for during one query is found by the next.

A query costs MongoDB and this process the same for one command as for fifty.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pymongo.errors import PyMongoError

from services.trading.store.documents import COMMANDS, command_id
from shared.errors import Overloaded, Unavailable
from shared.runtime.mongo import Document, Mongo

_MAX_WAITING: Final = 10_000
_MAX_GROUP: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Question:
    id: str
    found: "asyncio.Future[Document | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class CommandLookup:
    """The lookups of one term; `run` answers what `command` asks."""

    def __init__(self, mongo: Mongo) -> None:
        self._commands = mongo.db.get_collection(COMMANDS)
        self._waiting: asyncio.Queue[_Question] = asyncio.Queue(_MAX_WAITING)

    async def command(self, user_id: str, key: str) -> Document | None:
        """The stored command with this key; None if there is none.

        Raises PyMongoError if the database does not answer, Overloaded if too many wait, and
        Unavailable if the term ends.
        """
        question = _Question(command_id(user_id, key))
        try:
            self._waiting.put_nowait(question)
        except asyncio.QueueFull:
            raise Overloaded("too many commands wait; try again") from None
        return await question.found

    async def run(self) -> None:
        """Answer until cancelled; a query that fails fails its commands only."""
        questions: list[_Question] = []
        try:
            while True:
                questions = [await self._waiting.get()]
                while len(questions) < _MAX_GROUP and not self._waiting.empty():
                    questions.append(self._waiting.get_nowait())
                await self._answer(questions)
        finally:
            while not self._waiting.empty():
                questions.append(self._waiting.get_nowait())
            for question in questions:
                if not question.found.done():
                    question.found.set_exception(Unavailable("this owner stops; try again"))

    async def _answer(self, questions: Sequence[_Question]) -> None:
        ids = list({question.id for question in questions})
        try:
            cursor = self._commands.find({"_id": {"$in": ids}}, batch_size=_MAX_GROUP + 1)
            stored = {document["_id"]: document async for document in cursor}
        except PyMongoError as error:
            for question in questions:
                if not question.found.done():
                    question.found.set_exception(error)
            return
        for question in questions:
            if not question.found.done():  # its command may have been given up
                question.found.set_result(stored.get(question.id))
