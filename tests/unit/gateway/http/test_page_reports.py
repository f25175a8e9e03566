import json

import pytest

from services.gateway.http.page_reports import Report, reports
from shared.errors import BadMessage


def test_a_violation_is_read_as_the_reporting_api_sends_it() -> None:
    body = {
        "effectiveDirective": "script-src-elem", "blockedURL": "https://x.example/a.js?token=1",
        "sourceFile": "https://host/assets/index.js#part", "lineNumber": 7,
    }  # fmt: skip
    (report,) = reports(json.dumps([{"type": "csp-violation", "body": body}]).encode())
    assert report == Report(
        "policy", "script-src-elem https://x.example/a.js", "https://host/assets/index.js:7"
    )


def test_a_violation_is_read_as_older_browsers_send_it() -> None:
    body = {"csp-report": {"violated-directive": "img-src", "blocked-uri": "data"}}
    assert reports(json.dumps(body).encode()) == [Report("policy", "img-src data", "")]


def test_an_error_of_the_page_is_short_text_without_control_characters() -> None:
    body = {"message": "line one\nline two\x1b[2J" + "x" * 500, "source": 7}
    (report,) = reports(json.dumps([{"type": "page-error", "body": body}]).encode())
    assert report.kind == "error"
    assert report.text.startswith("line one line two [2J")
    assert len(report.text) == 200
    assert report.source == "7:"


@pytest.mark.parametrize("kind", ["deprecation", "", None, ["page-error"], 7])
def test_what_has_no_known_type_is_another_report(kind: object) -> None:
    (report,) = reports(json.dumps([{"type": kind, "body": {}}]).encode())
    assert report.kind == "other"


def test_of_many_reports_only_some_are_read() -> None:
    body = [{"type": "page-error", "body": {"message": str(number)}} for number in range(99)]
    assert len(reports(json.dumps(body).encode())) == 20


@pytest.mark.parametrize(
    "body", [b"", b"x", b"7", b"null", b'["x"]', b"{}", b'[{"type":"x"}]', b"\xff", b"[" * 9_000]
)
def test_what_is_no_list_of_reports_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        reports(body)
