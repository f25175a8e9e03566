"""The state of a login and the address of Upstox's dialog."""

from urllib.parse import parse_qs, urlsplit

from services.trading.links.login_state import login_url, new_state, state_hash
from shared.contracts.upstox_links import STATE_SECRET_CHARS, state_user


def test_a_state_names_its_user_and_cannot_be_guessed() -> None:
    states = {new_state("u-1_A") for _ in range(100)}
    assert len(states) == 100
    for state in states:
        assert state_user(state) == "u-1_A"
        assert len(state.rpartition(".")[2]) == STATE_SECRET_CHARS


def test_what_is_stored_of_a_state_does_not_contain_it() -> None:
    state = new_state("user")
    assert len(state_hash(state)) == 64
    assert state_hash(state) != state_hash(new_state("user"))
    assert state.rpartition(".")[2] not in state_hash(state)


def test_the_address_of_the_dialog_has_the_response_type_and_is_quoted() -> None:
    url = login_url("https://api.upstox.com", "app", "https://a.example/cb?x=1&y=2", "u.s")
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("api.upstox.com", "/v2/login/authorization/dialog")
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["app"],
        "redirect_uri": ["https://a.example/cb?x=1&y=2"],
        "state": ["u.s"],
    }
