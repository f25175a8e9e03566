from pydantic import SecretStr

from services.auth.core.pseudonyms import Pseudonyms


def test_a_name_is_the_same_each_time_and_another_for_each_purpose_and_secret() -> None:
    names = Pseudonyms(SecretStr("p" * 32))
    name = names.of("account", "ann@example.com")
    assert name == names.of("account", "ann@example.com")
    assert name != names.of("email", "ann@example.com")
    assert name != names.of("account", "bob@example.com")
    assert name != Pseudonyms(SecretStr("q" * 32)).of("account", "ann@example.com")
    assert "ann" not in name
