"""In web frameworks and Celery, each failure is one event, and what the app was asked leaves with none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest
import sentry_sdk

import claudescope
from tests.scripted import REQUEST, ScriptedAPI, error
from tests.sentry.conftest import Recorder, Start, personal_data
from tests.sentry.failures import AppError
from tests.sentry.frameworks import FRAMEWORKS, integrations, make_app

# In two parts, so that Sentry's source context of this very file does not hold it.
SECRET = "-".join(["hunter2", "correct", "horse", "battery"])

_QUOTING = error(429, "rate_limit_error", f"limit was hit by: {SECRET}")


def _call(prompt: str) -> None:
    request = {**REQUEST, "system": prompt, "messages": [{"role": "user", "content": prompt}]}
    client: Any = ScriptedAPI(_QUOTING).client(max_retries=0, default_headers={"x-own": prompt})
    client.messages.create(**request)


def _report_and_raise(prompt: str) -> None:
    try:
        _call(prompt)
    except anthropic.APIError as caught:
        sentry_sdk.capture_exception(caught)
        raise AppError(f"no answer: {caught}")  # noqa: B904 - as apps do


def _holds_no_secret(recorder: Recorder) -> None:
    for envelope in recorder.sent:
        assert SECRET.encode() not in envelope, envelope.decode()


@pytest.mark.filterwarnings("ignore:The send_default_pii option:DeprecationWarning")
@pytest.mark.parametrize("pii", [False, True])
@pytest.mark.parametrize("handle", [_call, _report_and_raise])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_one_event_without_the_request(
    start: Start, monkeypatch: pytest.MonkeyPatch, framework: str, handle: Callable[[str], None], pii: bool
) -> None:
    """A handler that crashes, with or without a report before, for a prompt that came with the request."""
    monkeypatch.setattr("sys.argv", ["app", SECRET])
    recorder = start(also=integrations(framework), **personal_data(pii))
    claudescope.instrument()
    ask = make_app(framework, handle)
    assert ask(SECRET) == 500 or framework in {"none", "celery"}
    assert recorder.event["tags"]["claude.error_type"] == "rate_limit_error"
    _holds_no_secret(recorder)
