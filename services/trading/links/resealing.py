"""Seals all stored secrets again with the newest key."""

from dataclasses import dataclass, field

from services.trading.links.documents import SEALED_FIELDS
from services.trading.links.sealing import KeyRing, Place, SealBroken, key_of
from shared.runtime.mongo import Mongo


@dataclass(slots=True)
class Resealed:
    """Result of `reseal`."""

    count: int = 0
    broken: list[str] = field(default_factory=list)
    """Fields that cannot be opened, as ``<collection> <document id> <field>``."""


async def reseal(mongo: Mongo, ring: KeyRing) -> Resealed:
    """Seal everything with the newest key that is not. Can be repeated. Raises PyMongoError.

    A value that changes meanwhile is left: its writer has sealed it with the newest key.
    """
    done = Resealed()
    for collection, fields in SEALED_FIELDS.items():
        documents = mongo.db.get_collection(collection)
        async for document in documents.find({}, dict.fromkeys(fields, 1)):
            for name in fields:
                sealed = document.get(name)
                if sealed is None:
                    continue
                place = Place(collection, document["_id"], name)
                try:
                    fresh = _reseal(sealed, place, ring)
                except SealBroken:
                    done.broken.append(f"{collection} {document['_id']} {name}")
                    continue
                if fresh is not None:
                    same = {"_id": document["_id"], name: sealed}
                    result = await documents.update_one(same, {"$set": {name: fresh}})
                    done.count += result.modified_count
    return done


async def seal_keys_in_use(mongo: Mongo) -> set[str]:
    """The ids of all keys that a stored secret needs. Raises PyMongoError."""
    key_ids = set()
    for collection, fields in SEALED_FIELDS.items():
        documents = mongo.db.get_collection(collection)
        async for document in documents.find({}, dict.fromkeys(fields, 1)):
            for name in fields:
                try:
                    key_ids.add(key_of(document.get(name) or ""))
                except SealBroken:
                    continue  # absent, or reported by `reseal`
    return key_ids


def _reseal(sealed: str, place: Place, ring: KeyRing) -> str | None:
    """The value sealed with the newest key; None if it is already. Raises SealBroken."""
    if key_of(sealed) == ring.newest:
        return None
    return ring.seal(ring.open(sealed, place), place)
