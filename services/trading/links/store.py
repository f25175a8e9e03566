"""Links, logins that have begun, and the audit of both in MongoDB.

All changes of a link are made by the owner of the user's partition, in transactions that an older
owner cannot commit. All methods raise PyMongoError while the database is unavailable.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from services.trading.links.documents import (
    AUDIT,
    AUDIT_SCHEMA,
    LINK_SCHEMA,
    LINKS,
    LOGIN_SCHEMA,
    LOGINS,
    LinkEvent,
    PendingLogin,
    StoredLink,
    link_document,
    link_from_document,
    link_id,
    login_document,
    login_from_document,
)
from shared.contracts.trading import MAX_PARTITIONS
from shared.contracts.upstox_links import LinkPurpose
from shared.errors import LinkTaken, StaleEpoch, Unavailable
from shared.market.exchange_time import to_datetime
from shared.runtime.clock import Clock
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Document, Mongo, ensure_collection

T = TypeVar("T")
_COMMIT: Final[Document] = {"$inc": {"commits": 1}}


async def prepare_link_collections(mongo: Mongo) -> None:
    """Create the collections with validators and indexes. Raises PyMongoError."""
    one_user = IndexModel(
        [("upstox_user_id", ASCENDING), ("purpose", ASCENDING)], name="one_user", unique=True
    )
    by_slot = IndexModel([("slot", ASCENDING)], name="slot")
    await ensure_collection(mongo.db, LINKS, LINK_SCHEMA, [one_user, by_slot])
    # MongoDB deletes expired documents once a minute; `take_login` checks the time as well.
    expiry = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)
    by_user = IndexModel([("user", ASCENDING)], name="user")
    await ensure_collection(mongo.db, LOGINS, LOGIN_SCHEMA, [expiry, by_user])
    await ensure_collection(mongo.db, AUDIT, AUDIT_SCHEMA, [expiry, by_user])


class LinkStore:
    """The documents of links, for one term of a partition's owner."""

    def __init__(
        self, mongo: Mongo, guard: EpochGuard, epoch: int, clock: Clock, *, audit_days: int
    ) -> None:
        self._links = mongo.db.get_collection(LINKS)
        self._logins = mongo.db.get_collection(LOGINS)
        self._audit = mongo.db.get_collection(AUDIT)
        self._guard = guard
        self._epoch = epoch
        self._clock = clock
        self._audit_retention = timedelta(days=audit_days)

    async def trading_links(self, partition: int, partitions: int) -> list[StoredLink]:
        """All links for trading of a partition's users."""
        slots = list(range(partition, MAX_PARTITIONS, partitions))
        cursor = self._links.find({"slot": {"$in": slots}, "purpose": LinkPurpose.TRADING.value})
        return [link_from_document(document) async for document in cursor]

    async def link(self, user_id: str, purpose: LinkPurpose) -> StoredLink | None:
        """A link as it is stored now: a rotation seals it again, and any owner changes the feed's."""
        document = await self._links.find_one({"_id": link_id(user_id, purpose)})
        return None if document is None else link_from_document(document)

    async def settled_link(self, user_id: str) -> StoredLink | None:
        """The link for trading after every change that may still be on its way."""

        async def read(session: AsyncClientSession) -> Document | None:
            mine = {"_id": link_id(user_id, LinkPurpose.TRADING)}
            return await self._links.find_one(mine, session=session)

        document = await self._transact(read)
        return None if document is None else link_from_document(document)

    async def begin(self, login: PendingLogin) -> None:
        """Store a login, in place of an earlier one of the same user and purpose."""

        async def write(session: AsyncClientSession) -> None:
            earlier = {"user": login.user_id, "purpose": login.purpose.value}
            await self._logins.delete_many(earlier, session=session)
            await self._logins.insert_one(login_document(login), session=session)
            await self._record(
                LinkEvent.BEGUN, login.user_id, login.purpose, session, client_id=login.client_id
            )

        await self._transact(write)

    async def take_login(self, state_hash: str, user_id: str) -> PendingLogin | None:
        """Use up a login: among concurrent calls one gets it. None if it is unknown or too old."""
        document = await self._logins.find_one_and_delete({"_id": state_hash, "user": user_id})
        login = None if document is None else login_from_document(document)
        return login if login is not None and login.expires_at > self._now() else None

    async def save(self, link: StoredLink, event: LinkEvent) -> None:
        """Store a link. Raises LinkTaken, having changed nothing, if another user has it."""

        async def write(session: AsyncClientSession) -> None:
            await self._links.replace_one(
                {"_id": link.document_id}, link_document(link), upsert=True, session=session
            )
            await self._record(
                event, link.user_id, link.purpose, session,
                upstox_user_id=link.upstox_user_id, client_id=link.client_id,
            )  # fmt: skip

        try:
            await self._transact(write)
        except DuplicateKeyError:
            raise LinkTaken(
                f"the Upstox account {link.upstox_user_id} is linked by another user"
            ) from None

    async def renew(self, link: StoredLink) -> bool:
        """Store the new token of a link; False if the link has been removed."""
        fields = ("token", "issued_at", "expires_at", "refused")
        document = link_document(link)
        change = {
            "$set": {name: document[name] for name in fields},
            "$unset": {"waiting_until": "", "detail": ""},
        }

        async def write(session: AsyncClientSession) -> bool:
            same = {"_id": link.document_id, "upstox_user_id": link.upstox_user_id}
            result = await self._links.update_one(same, change, session=session)
            await self._record(
                LinkEvent.RENEWED, link.user_id, link.purpose, session,
                upstox_user_id=link.upstox_user_id, client_id=link.client_id,
            )  # fmt: skip
            return result.matched_count == 1

        return await self._transact(write)

    async def await_token(self, link: StoredLink, until_ms: int) -> None:
        """Store that Upstox waits for the user's answer to a request."""

        async def write(session: AsyncClientSession) -> None:
            change = {"$set": {"waiting_until": until_ms}}
            await self._links.update_one({"_id": link.document_id}, change, session=session)
            await self._record(
                LinkEvent.REQUESTED, link.user_id, link.purpose, session,
                upstox_user_id=link.upstox_user_id, client_id=link.client_id,
            )  # fmt: skip

        await self._transact(write)

    async def remove(self, user_id: str, purpose: LinkPurpose) -> StoredLink | None:
        """Delete a link and the login that has begun; the link that was deleted."""

        async def write(session: AsyncClientSession) -> Document | None:
            document = await self._links.find_one_and_delete(
                {"_id": link_id(user_id, purpose)}, session=session
            )
            mine = {"user": user_id, "purpose": purpose.value}
            await self._logins.delete_many(mine, session=session)
            if document is not None:
                await self._record(
                    LinkEvent.UNLINKED, user_id, purpose, session,
                    upstox_user_id=document["upstox_user_id"],
                )  # fmt: skip
            return document

        document = await self._transact(write)
        return None if document is None else link_from_document(document)

    async def refuse(self, link: StoredLink, detail: str) -> None:
        """Mark a link's token as refused, unless it has a newer one."""

        async def write(session: AsyncClientSession) -> None:
            same_token = {"_id": link.document_id, "issued_at": link.issued_ms, "refused": False}
            change = {"$set": {"refused": True, "detail": detail}}
            result = await self._links.update_one(same_token, change, session=session)
            if result.modified_count:
                await self._record(
                    LinkEvent.REFUSED, link.user_id, link.purpose, session,
                    upstox_user_id=link.upstox_user_id, detail=detail,
                )  # fmt: skip

        await self._transact(write)

    async def record(
        self, event: LinkEvent, user_id: str, purpose: LinkPurpose, **fields: str | None
    ) -> None:
        """Add to the audit."""
        await self._record(event, user_id, purpose, None, **fields)

    async def _record(
        self,
        event: LinkEvent,
        user_id: str,
        purpose: LinkPurpose,
        session: AsyncClientSession | None,
        **fields: str | None,
    ) -> None:
        now = self._now()
        entry: Document = {
            "at": now,
            "expires_at": now + self._audit_retention,
            "user": user_id,
            "purpose": purpose.value,
            "event": event.value,
        } | {name: text for name, text in fields.items() if text}
        await self._audit.insert_one(entry, session=session)

    async def _transact(self, write: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        try:
            return await self._guard.transact(self._epoch, _COMMIT, write)
        except StaleEpoch:
            # The term ends by itself: its journal and its lease notice the same.
            raise Unavailable("the users of this partition have a new owner; try again") from None

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
