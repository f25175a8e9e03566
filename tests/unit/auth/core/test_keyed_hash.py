from pydantic import SecretStr

from services.auth.core.keyed_hash import KeyedHash


def test_a_digest_depends_on_the_text_the_purpose_and_the_secret() -> None:
    keyed_hash = KeyedHash(SecretStr("p" * 32))
    digest = keyed_hash.digest("account", "ann@example.com")
    assert digest == keyed_hash.digest("account", "ann@example.com")
    assert digest != keyed_hash.digest("email", "ann@example.com")
    assert digest != keyed_hash.digest("account", "bob@example.com")
    assert digest != KeyedHash(SecretStr("q" * 32)).digest("account", "ann@example.com")
    assert "ann" not in digest


def test_a_digest_stays_the_same_between_versions() -> None:
    # Stored counts, device tokens and audit entries contain digests.
    digest = KeyedHash(SecretStr("p" * 32)).digest("account", "ann@example.com")
    assert digest == "Qn6Idx7pahdsa99lM67an00Q"
