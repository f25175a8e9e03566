"""Starts the persister service."""

import sys

from services.persister.app import build
from services.persister.settings import PersisterSettings
from shared.runtime import run

if __name__ == "__main__":
    sys.exit(run("persister", build, PersisterSettings))
