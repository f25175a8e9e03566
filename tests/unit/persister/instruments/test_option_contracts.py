"""Contracts are put together by strike."""

from services.persister.instruments.option_contracts import strikes_of
from shared.contracts.option_chains import StrikeContracts


def test_strikes_rise_and_a_side_may_be_absent() -> None:
    rows = [
        {"_id": "NSE_FO|3", "type": "PE", "strike": 150.0},
        {"_id": "NSE_FO|1", "type": "CE", "strike": 100.0},
        {"_id": "NSE_FO|2", "type": "PE", "strike": 100.0},
    ]
    assert strikes_of(rows) == [
        StrikeContracts(strike=100.0, call="NSE_FO|1", put="NSE_FO|2"),
        StrikeContracts(strike=150.0, put="NSE_FO|3"),
    ]
