"""References to container images: whose they are, and whether they can change unnoticed."""

import re
from typing import Final

# Built from this repository, and named by version: an operator's registry gives the digest.
_OWN: Final = re.compile(r"^([a-z0-9.-]+/)?tradedad(-simulator)?:[\w.-]+$")
_PINNED: Final = re.compile(r"^[a-z0-9.-]+/[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$")


def is_own(image: str) -> bool:
    """Whether an image is built from this repository."""
    return _OWN.match(image) is not None


def is_pinned(image: str) -> bool:
    """Whether an image is this project's own, or has registry, tag and digest."""
    return is_own(image) or _PINNED.match(image) is not None
