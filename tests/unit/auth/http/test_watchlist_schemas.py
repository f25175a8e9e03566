from typing import Any

import pytest
from pydantic import ValidationError

from services.auth.core.watchlists import MAX_KEYS
from services.auth.http.watchlist_schemas import WatchlistSetting

GOOD: dict[str, Any] = {"name": "Mine", "keys": ["NSE_INDEX|Nifty 50"], "revision": 0}


@pytest.mark.parametrize("name", ["x", "My list", "Öl & Gas", "x" * 40])
def test_a_name_is_any_text_of_one_line(name: str) -> None:
    assert WatchlistSetting.model_validate(GOOD | {"name": name}).name == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "x" * 41},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "a\n"},
        {"keys": ["Nifty 50"]},
        {"keys": ["A|b", "A|b"]},
        {"keys": ["A|" + "b" * 127]},
        {"keys": [f"A|{number}" for number in range(MAX_KEYS + 1)]},
        {"revision": -1},
        {"revision": "0"},
        {"revision": 2**53},
        {"owner": "u2"},
    ],
)
def test_what_breaks_a_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WatchlistSetting.model_validate(GOOD | wrong)
