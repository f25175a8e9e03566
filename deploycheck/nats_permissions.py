"""Every service has an account and a user at nats-server."""

import re
from pathlib import Path

from deploycheck.service_settings import nats_password
from embedded.settings import SERVICES


def check(authorization: Path) -> list[str]:
    """One line for each service without a user, or with the password of another."""
    users = dict(re.findall(r"user: (\w+), password: \$(\w+)", authorization.read_text()))
    lines = []
    for service in SERVICES:
        password = nats_password(service)
        if password is not None and users.get(service) != password:
            lines.append(f"{authorization.name}: no user {service} with ${password}")
    return lines
