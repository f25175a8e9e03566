"""The profile has the fields of the SDK's model."""

import upstox_client

from services.simulator.access.profile import profile


def test_the_profile_has_the_fields_of_the_sdk() -> None:
    assert set(profile("U1")) == set(upstox_client.ProfileData.attribute_map.values())
    assert profile("U1")["user_id"] == "U1"
