"""Sources of certificates are read from arguments, and a bad file costs only its own figures."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.certificates import SERVER_DAYS, create_authority, create_server_certificate
from operations.server_metrics import metrics
from operations.server_metrics.certificates import Certificates, Source, source

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("edge=file:/run/edge/tls.crt", "file", "/run/edge/tls.crt"),
        ("edge=tls:nginx:8443", "tls", "nginx:8443"),
        ("edge=nats:[::1]:4222", "nats", "[::1]:4222"),
    ],
)
def test_an_argument_names_a_source(text: str, kind: str, place: str) -> None:
    assert source(text) == Source("edge", kind, place)


@pytest.mark.parametrize(
    "text",
    ["", "edge", "edge=", "=file:/x", "edge=file:", "edge=tls:host", "edge=tls::1", "e=ftp:h:1"],
)
def test_another_argument_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="is not NAME=file:PATH"):
        source(text)


async def test_the_end_of_a_certificate_is_read_and_a_bad_file_is_named(tmp_path: Path) -> None:
    pair = create_server_certificate(create_authority(NOW), ("localhost",), NOW)
    (tmp_path / "good.crt").write_bytes(pair.certificate)
    (tmp_path / "bad.crt").write_text("no certificate")
    sources = [
        Source(name, "file", str(tmp_path / f"{name}.crt")) for name in ("good", "bad", "no")
    ]
    figures = await Certificates(sources).read()
    end_secs = (NOW + timedelta(days=SERVER_DAYS)).timestamp()
    assert figures.gauges[metrics.CERTIFICATE_EXPIRY_TIMESTAMP_SECONDS] == {("good",): end_secs}
    assert figures.gauges[metrics.CERTIFICATE_READ] == {("good",): 1, ("bad",): 0, ("no",): 0}
