"""Command-line entry point of the auth service."""

import sys

from services.auth.app import build
from services.auth.settings import AuthSettings
from shared.runtime.service import run

if __name__ == "__main__":
    sys.exit(run("auth", build, AuthSettings))
