"""Discards the checkpoint of the bars: ``python -m services.persister reset-checkpoint``.

For the case that the exchange time of the checkpoint was wrong, for example because a simulated
market ran faster than time. The leader then reads on from the end of the tick stream, since entries
of the wrong time are still in the stream. Stored bars stay. Windows that were open have no bar.
"""

import argparse
import sys
from collections.abc import Sequence

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from services.persister.aggregation.checkpoint import FROM_END, AggregatorState, encode_state
from services.persister.storage.documents import CHECKPOINT_ID, CHECKPOINTS
from shared.errors import ConfigError
from shared.runtime import exit_codes
from shared.runtime.mongo import Document
from shared.runtime.settings import MongoSettings, load


def main(args: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.persister reset-checkpoint",
        description="Discard the checkpoint; the leader reads on from the end of the tick stream.",
    )
    parser.parse_args(args)
    try:
        settings = load(MongoSettings)
        client: MongoClient[Document] = MongoClient(
            settings.url.get_secret_value(), timeoutMS=settings.timeout_ms
        )
        with client:
            # A new epoch: the running leader can store nothing more, and takes over again.
            reset = client[settings.database][CHECKPOINTS].update_one(
                {"_id": CHECKPOINT_ID},
                {
                    "$set": {"state": encode_state(AggregatorState(next_position=FROM_END))},
                    "$inc": {"epoch": 1},
                },
            )
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return exit_codes.CONFIG
    except PyMongoError as error:
        print(f"cannot reset the checkpoint: {error}", file=sys.stderr)
        return exit_codes.FAILED
    print("checkpoint discarded" if reset.matched_count else "there is no checkpoint")
    return exit_codes.OK
