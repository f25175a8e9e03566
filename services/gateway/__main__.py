"""Starts the gateway service."""

import sys

from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.runtime.service import run

if __name__ == "__main__":
    sys.exit(run("gateway", build, GatewaySettings))
