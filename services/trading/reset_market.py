"""Discards the state of the paper market: ``python -m operations paper reset-market``.

For the case that the time that the paper broker has reached was wrong, for example because a
simulated market ran faster than time. The owners of the partitions then read on from the end of the
tick stream. Accounts and orders stay; open orders lose their places in the queues of the order book.
"""

import argparse

from services.trading.store.documents import PARTITIONS
from shared.runtime import exit_codes
from shared.runtime.mongo_command import command_client
from shared.runtime.settings import MongoSettings, load


def run(_: argparse.Namespace) -> int:
    """Discard the state of the paper market; trading reads on from the end of the tick stream."""
    settings = load(MongoSettings)
    with command_client(settings) as client:
        # A checkpoint is used only with the stream that it names. A new epoch: the running owner
        # can store nothing more, and takes over again.
        reset = client[settings.database][PARTITIONS].update_many(
            {}, {"$set": {"stream": ""}, "$inc": {"epoch": 1}}
        )
    print(f"partitions that begin anew: {reset.matched_count}")
    return exit_codes.OK
