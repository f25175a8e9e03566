"""Failures of the database as answers."""

import pytest
from pymongo.errors import AutoReconnect

from services.trading.partition.database_errors import or_unavailable
from shared.bus.responder import Handler
from shared.contracts.order_terms import Account
from shared.contracts.trading import AccountQuery
from shared.errors import NotFound, Unavailable

QUERY = AccountQuery(user_id="u1", account=Account.PAPER)


async def test_a_database_that_does_not_answer_is_unavailable() -> None:
    async def handle(_: AccountQuery) -> AccountQuery:
        raise AutoReconnect("no primary")

    with pytest.raises(Unavailable, match="database"):
        await or_unavailable(Handler(AccountQuery, handle)).handle(QUERY)


async def test_other_errors_and_replies_are_passed_on() -> None:
    async def refuse(_: AccountQuery) -> AccountQuery:
        raise NotFound("no such order")

    async def reply(query: AccountQuery) -> AccountQuery:
        return query

    with pytest.raises(NotFound):
        await or_unavailable(Handler(AccountQuery, refuse)).handle(QUERY)
    assert await or_unavailable(Handler(AccountQuery, reply)).handle(QUERY) is QUERY
