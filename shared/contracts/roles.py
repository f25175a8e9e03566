"""The roles of users, as the claim `roles` of access tokens names them."""

from typing import Final

ADMIN_ROLE: Final = "admin"
"""May list, disable and enable other accounts, end their sessions, and stop trading."""
