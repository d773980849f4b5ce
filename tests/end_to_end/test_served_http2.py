"""Runs against a server that speaks HTTP/2 over TLS: many requests on one connection, and its own failures."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from phraseproof.models.openai import traffic
from phraseproof.store.queries import Run
from support.fault_server import Fault, share_of
from support.http2_server import Http2Server, certificate, serving_http2
from support.parity_project import write_project
from support.served_rows import checked_rows, evaluate_served

pytestmark = [
    pytest.mark.skipif(find_spec("h2") is None, reason="needs the package h2 (extra api)"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for a certificate"),
]
EXAMPLES, WORDINGS = 8, 4
PROMPTS = EXAMPLES * WORDINGS
READINGS = {"loglikelihood": "completions", "first_token": "chat", "generate": "chat"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
    monkeypatch.setattr(traffic, "wait_s", lambda attempt, first_s, requested_s: requested_s + 0.002 * attempt)
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


def evaluate(project: Path, base_url: str, reading: str, **args: str) -> Run:
    """Score the task behind the server."""
    return evaluate_served(project, base_url, reading, READINGS[reading], **({"concurrency": "8"} | args))


@pytest.mark.parametrize("reading", list(READINGS))
def test_requests_share_a_connection(project: Path, reading: str) -> None:
    with serving_http2(Http2Server(), project / "certificate.pem") as server:
        run = evaluate(project, server.base_url, reading)
    assert len(checked_rows(run)) == PROMPTS
    assert set(server.answered.values()) == {1}
    assert server.most_streams > 1
    assert server.connections <= 4  # one for each of the trials, and one for each call of the run


FAULTS = {
    "one stream is reset": Fault("stream"),
    "the connection is ended": Fault("away"),
    "429 with Retry-After": Fault("status", 429, (("retry-after", "0.005"),)),
    "500": Fault("status", 500),
}


@pytest.mark.parametrize("kind", list(FAULTS))
def test_what_passes_changes_no_row_and_nothing_answered_is_sent_again(project: Path, kind: str) -> None:
    def fault(text: str, attempt: int, _: int) -> Fault | None:
        return FAULTS[kind] if text.startswith("Wording") and attempt == 1 and share_of(text) < 0.3 else None

    with serving_http2(Http2Server(fault), project / "certificate.pem") as server:
        # The end of a connection fails all requests that wait on it.
        run = evaluate(project, server.base_url, "first_token", retries="50")
    assert len(checked_rows(run)) == PROMPTS
    # An answer that reaches the client together with the end of its connection is lost.
    lost = PROMPTS // 4 if kind == "the connection is ended" else 0
    assert sum(server.answered.values()) - len(server.answered) <= lost
    assert sum(server.requests.values()) > PROMPTS + 5


def test_an_unknown_certificate_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from phraseproof.errors import ModelError

    monkeypatch.delenv("SSL_CERT_FILE")
    with serving_http2(Http2Server(), project / "certificate.pem") as server:
        with pytest.raises(ModelError, match=r"cannot be reached.*CERTIFICATE_VERIFY_FAILED"):
            evaluate(project, server.base_url, "first_token", retries="1")
        assert not server.requests
