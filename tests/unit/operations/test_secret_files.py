"""Secrets are random, start with a letter, and are readable by their owner only."""

from pathlib import Path

from operations.secret_files import generate_secret, write_private


def test_a_secret_starts_with_a_letter_and_is_never_the_same() -> None:
    made = {generate_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(secret[0].isalpha() and secret.isalnum() for secret in made)


def test_a_file_is_private_and_leaves_no_draft(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", b"text")
    assert (tmp_path / "secret").read_bytes() == b"text"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
