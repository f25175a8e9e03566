"""Starts the persister service, or runs the command ``backfill``."""

import sys

from services.persister.app import build
from services.persister.backfill import main as backfill
from services.persister.settings import PersisterSettings
from shared.runtime.service import run

if __name__ == "__main__":
    if sys.argv[1:2] == ["backfill"]:
        sys.exit(backfill(sys.argv[2:]))
    sys.exit(run("persister", build, PersisterSettings))
