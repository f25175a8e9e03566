"""The ids of simulated users: any user exists, with an account of its own."""

import re
from typing import Annotated, Final

from pydantic import Field

DEFAULT_USER: Final = "SIM001"
USER_ID: Final = re.compile(r"[A-Z0-9]{1,20}")
UserId = Annotated[str, Field(pattern=f"^{USER_ID.pattern}$")]
OptionalUserId = Annotated[str, Field(pattern=f"^({USER_ID.pattern})?$")]
"""Empty means any user."""
