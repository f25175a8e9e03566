"""What the exit code of a process says (numbers of sysexits.h)."""

from typing import Final

OK: Final = 0
FAILED: Final = 70
"""A part failed."""
TRY_AGAIN: Final = 75
"""Start me again."""
CONFIG: Final = 78
"""A setting is wrong: no use in starting again unchanged."""
