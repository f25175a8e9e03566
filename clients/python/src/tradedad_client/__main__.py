"""Command-line entry point: ``python -m tradedad_client watch KEY...``."""

import sys

from tradedad_client.watch import main

if __name__ == "__main__":
    sys.exit(main())
