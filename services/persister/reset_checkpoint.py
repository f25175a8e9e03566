"""Discards the checkpoint of the bars: ``python -m operations bars reset-checkpoint``.

For the case that the exchange time of the checkpoint was wrong, for example because a simulated
market ran faster than time. The leader then reads on from the end of the tick stream, since entries
of the wrong time are still in the stream. Stored bars stay. Windows that were open have no bar.
"""

import argparse

from services.persister.aggregation.checkpoint import FROM_END, AggregatorState, encode_state
from services.persister.storage.documents import CHECKPOINT_ID, CHECKPOINTS
from shared.runtime import exit_codes
from shared.runtime.mongo_command import command_client
from shared.runtime.settings import MongoSettings, load


def run(_: argparse.Namespace) -> int:
    """Discard the checkpoint; the leader reads on from the end of the tick stream."""
    settings = load(MongoSettings)
    with command_client(settings) as client:
        # A new epoch: the running leader can store nothing more, and takes over again.
        reset = client[settings.database][CHECKPOINTS].update_one(
            {"_id": CHECKPOINT_ID},
            {
                "$set": {"state": encode_state(AggregatorState(next_position=FROM_END))},
                "$inc": {"epoch": 1},
            },
        )
    print("checkpoint discarded" if reset.matched_count else "there is no checkpoint")
    return exit_codes.OK
