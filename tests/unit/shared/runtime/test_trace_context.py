"""The headers of W3C Trace Context are read strictly and written exactly."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.trace_context import TraceContext, new_trace, read_context

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
HEX = "0123456789abcdef"


def ids(size: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=size, max_size=size).filter(lambda text: text.strip("0") != "")


contexts = st.builds(TraceContext, ids(32), ids(16), st.booleans())


@given(contexts)
def test_a_written_context_is_read_as_the_same(context: TraceContext) -> None:
    assert read_context([context.traceparent()]) == context


@given(st.text(max_size=80))
def test_any_text_is_a_valid_context_or_none(text: str) -> None:
    context = read_context([text], [text])
    assert context is None or re.fullmatch(r"[0-9a-f]{32}", context.trace_id)


@given(contexts, st.integers(0, 54), st.characters(exclude_characters=HEX + "-"))
def test_a_context_with_a_wrong_character_is_ignored(
    context: TraceContext, at: int, wrong: str
) -> None:
    text = context.traceparent()
    assert read_context([text[:at] + wrong + text[at + 1 :]]) is None


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [""],
        [PARENT, PARENT],
        [PARENT.upper()],
        [PARENT + "-00"],
        [PARENT + "\n"],
        [f" {PARENT}"],
        [PARENT[:-1]],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"cc-{TRACE}-{SPAN}-01x"],
    ],
)
def test_a_wrong_traceparent_is_ignored(parents: list[str]) -> None:
    assert read_context(parents, ["a=1"]) is None


@pytest.mark.parametrize("parent", [f"cc-{TRACE}-{SPAN}-09", f"cc-{TRACE}-{SPAN}-01-more"])
def test_a_later_version_is_read_as_the_first_one(parent: str) -> None:
    context = read_context([parent])
    assert context == TraceContext(TRACE, SPAN, is_sampled=True)
    assert context.traceparent() == PARENT


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (["a=1,b=2"], "a=1,b=2"),
        (["a=1 ,\tb=2", "", "c=3"], "a=1,b=2,c=3"),
        (["tenant@system=x y"], "tenant@system=x y"),
        (["0tenant@system=1"], "0tenant@system=1"),
        ([","], ""),
        (["a=1,a=2"], ""),
        (["A=1"], ""),
        (["1=1"], ""),
        (["a="], ""),
        (["a=1=2"], ""),
        (["a"], ""),
        ([",".join(f"k{n}=1" for n in range(32))], ",".join(f"k{n}=1" for n in range(32))),
        ([",".join(f"k{n}=1" for n in range(33))], ""),
        (["a=" + "x" * 257], ""),
        (["a=" + "x" * 250 + ",b=" + "x" * 250 + ",c=12345"], ""),
    ],
)
def test_a_valid_tracestate_is_kept_and_a_wrong_one_dropped(states: list[str], kept: str) -> None:
    context = read_context([PARENT], states)
    assert context is not None
    assert context.state == kept


def test_a_child_is_another_span_of_the_same_trace() -> None:
    parent = TraceContext(TRACE, SPAN, is_sampled=True, state="a=1")
    child = parent.child()
    assert (child.trace_id, child.is_sampled, child.state) == (TRACE, True, "a=1")
    assert child.span_id != SPAN
    assert child.headers() == {"traceparent": child.traceparent(), "tracestate": "a=1"}


def test_two_traces_have_different_ids() -> None:
    first, second = new_trace(is_sampled=False), new_trace(is_sampled=False)
    assert first.trace_id != second.trace_id
    assert first.headers() == {"traceparent": f"00-{first.trace_id}-{first.span_id}-00"}
