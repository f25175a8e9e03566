"""Starts the simulator: ``python -m services.simulator``."""

import sys

from services.simulator.app import build
from services.simulator.settings import SimulatorSettings
from shared.runtime.service import run

if __name__ == "__main__":
    sys.exit(run("simulator", build, SimulatorSettings))
