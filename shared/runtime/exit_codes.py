"""Exit codes of a process, with the numbers of sysexits.h."""

from typing import Final

OK: Final = 0
FAILED: Final = 70
"""EX_SOFTWARE: a component failed."""
TEMPFAIL: Final = 75
"""EX_TEMPFAIL: start the process again."""
CONFIG: Final = 78
"""EX_CONFIG: a setting is not valid; starting again without a change fails again."""
