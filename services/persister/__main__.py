"""Starts the persister service, or exports its bars with the argument ``export``."""

import sys

from services.persister.app import build
from services.persister.export import main as export
from services.persister.settings import PersisterSettings
from shared.runtime.service import run

if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        sys.exit(export(sys.argv[2:]))
    sys.exit(run("persister", build, PersisterSettings))
