"""Entry point of ``python -m tradedad_client``."""

import sys

from tradedad_client.command_line import main

if __name__ == "__main__":
    sys.exit(main())
