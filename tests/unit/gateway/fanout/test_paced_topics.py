"""Each group of topics is due once per its interval, with the topics that have a new message."""

from services.gateway.fanout.paced_topics import PacedTopics
from services.gateway.fanout.topic import Topic


def new_topic(key: str) -> Topic:
    topic = Topic(key)
    topic.version = 1
    return topic


def due(paced: PacedTopics, now: float) -> list[str]:
    """The keys that are due, which are then sent."""
    topics = list(paced.take_due(now))
    for topic in topics:
        paced.sent(topic)
    return [topic.key for topic in topics]


def test_a_topic_without_a_new_message_is_not_due() -> None:
    paced, changed, unchanged = PacedTopics(), new_topic("a"), new_topic("b")
    for topic in (changed, unchanged):
        paced.add(topic, 1.0)
    assert due(paced, 10.0) == ["a", "b"]
    changed.version = 2
    assert due(paced, 10.9) == []
    assert due(paced, 11.0) == ["a"]


def test_a_topic_that_changes_its_interval_does_not_repeat_its_message() -> None:
    paced, topic = PacedTopics(), new_topic("a")
    paced.add(topic, 1.0)
    assert due(paced, 10.0) == ["a"]
    paced.add(topic, 0.5)
    assert due(paced, 20.0) == []
    topic.version = 2
    assert due(paced, 20.5) == ["a"]
    assert list(paced.intervals_secs.values()) == [0.5]


def test_a_message_that_was_not_sent_stays_due() -> None:
    paced, topic = PacedTopics(), new_topic("a")
    paced.add(topic, 1.0)
    assert list(paced.take_due(10.0)) == [topic]
    assert due(paced, 11.0) == ["a"]
    assert due(paced, 12.0) == []


def test_a_group_without_topics_is_forgotten_when_it_is_due() -> None:
    paced, topic = PacedTopics(), new_topic("a")
    for interval_secs in (1.0, 2.0, 3.0):
        paced.add(topic, interval_secs)
    assert due(paced, 10.0) == ["a"]
    assert (len(paced._groups), len(paced._due)) == (1, 1)
    paced.discard(topic)
    assert due(paced, 13.0) == []
    assert not paced._groups
    paced.discard(topic)
