"""Each subscription key has one subject, from which it can be read again."""

import pytest

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.topic_subjects import deep_subject, key_of, subject_of
from shared.contracts.subjects import depth_subject, quote_subject
from shared.errors import InvalidField
from tests.support.builders import KEY, OTHER_KEY

CASES = [
    (Channel.QUOTES, KEY),
    (Channel.BARS, OTHER_KEY),
    (Channel.DEPTH, "NSE_FO|30"),
    (Channel.DEPTH, "NSE_FO|30|30"),
    (Channel.CHAIN, f"{OTHER_KEY}|2026-12-01|10"),
    (Channel.CHAIN, "NSE_EQ|A.B|2026-12-01|1"),
]


@pytest.mark.parametrize(("channel", "key"), CASES)
def test_a_subject_gives_the_key_that_it_was_made_of(channel: Channel, key: str) -> None:
    assert key_of(channel, subject_of(channel, key)) == key


def test_the_levels_of_a_book_are_part_of_its_subject_at_a_gateway() -> None:
    assert subject_of(Channel.DEPTH, KEY) == depth_subject(KEY)
    assert subject_of(Channel.DEPTH, f"{KEY}|30") == deep_subject(depth_subject(KEY))
    assert subject_of(Channel.QUOTES, KEY) == quote_subject(KEY)


@pytest.mark.parametrize(
    ("channel", "key"),
    [(Channel.DEPTH, f"{KEY}|20"), (Channel.QUOTES, f"{KEY}|30"), (Channel.CHAIN, KEY)],
)
def test_a_parameter_of_another_channel_is_refused(channel: Channel, key: str) -> None:
    with pytest.raises(InvalidField):
        subject_of(channel, key)


@pytest.mark.parametrize(
    ("channel", "subject"),
    [
        (Channel.DEPTH, "md.depth.NSE_EQ.A.20"), (Channel.DEPTH, "md.depth.NSE_EQ"),
        (Channel.CHAIN, "md.chain.NSE_EQ.A"), (Channel.CHAIN, "md.chain.NSE_EQ.A.2026-12-01.99"),
        (Channel.QUOTES, "md.quote.NSE_EQ.A.30"),
    ],
)  # fmt: skip
def test_any_other_subject_is_refused(channel: Channel, subject: str) -> None:
    with pytest.raises(InvalidField):
        key_of(channel, subject)
