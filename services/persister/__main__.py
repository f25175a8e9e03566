"""Starts the persister service, or runs the command ``export`` or ``reset-checkpoint``."""

import sys

from services.persister.app import build
from services.persister.export import main as export
from services.persister.reset_checkpoint import main as reset_checkpoint
from services.persister.settings import PersisterSettings
from shared.runtime.service import run

if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        sys.exit(export(sys.argv[2:]))
    if sys.argv[1:2] == ["reset-checkpoint"]:
        sys.exit(reset_checkpoint(sys.argv[2:]))
    sys.exit(run("persister", build, PersisterSettings))
