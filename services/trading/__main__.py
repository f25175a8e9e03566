"""Starts the trading service."""

import sys

from services.trading.app import build
from services.trading.settings import TradingSettings
from shared.runtime.service import run

if __name__ == "__main__":
    sys.exit(run("trading", build, TradingSettings))
