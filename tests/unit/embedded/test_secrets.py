"""Secrets are generated once, and only their owner can read them."""

import stat
from pathlib import Path

from embedded.secrets import ensure_secrets
from operations.secret_files import NATS_PASSWORDS


def test_secrets_are_generated_once(tmp_path: Path) -> None:
    generated = ensure_secrets(tmp_path / "secrets")
    assert set(NATS_PASSWORDS) < set(generated)
    assert len(set(generated.values())) == len(generated)
    assert ensure_secrets(tmp_path / "secrets") == generated


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    ensure_secrets(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_secrets_start_with_a_letter(tmp_path: Path) -> None:
    assert all(secret[0].isalpha() for secret in ensure_secrets(tmp_path).values())
