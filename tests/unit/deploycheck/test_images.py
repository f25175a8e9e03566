"""Only references that cannot change unnoticed are accepted."""

import pytest

from deploycheck.images import is_pinned

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "image",
    [f"docker.io/library/nats:2.10@{DIGEST}", "registry.example.com/tradedad:0.1.0",
     "localhost/tradedad-simulator:0.1.0"],
)  # fmt: skip
def test_a_digest_or_an_own_version_is_accepted(image: str) -> None:
    assert is_pinned(image)


@pytest.mark.parametrize(
    "image",
    ["docker.io/library/nats:2.10", f"docker.io/library/nats@{DIGEST}", "nats", "tradedad",
     "docker.io/evil/tradedad-tools:1"],
)  # fmt: skip
def test_another_reference_is_refused(image: str) -> None:
    assert not is_pinned(image)
