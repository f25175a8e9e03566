"""Starts the ingest service."""

import sys

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from shared.runtime.service import run

if __name__ == "__main__":
    sys.exit(run("ingest", build, IngestSettings))
