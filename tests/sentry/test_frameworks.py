"""In web frameworks and Celery, each failure is one event, and what the app was asked leaves with none of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration

import claudescope
from tests.scripted import REQUEST, ScriptedAPI, error
from tests.sentry.conftest import Recorder, Start, personal_data
from tests.sentry.failures import AppError

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


def _fastapi(handle: Callable[[str], None]) -> None:
    fastapi = importlib.import_module("fastapi")
    app: Any = fastapi.FastAPI()

    def chat(body: dict[str, str]) -> None:
        handle(body["prompt"])

    app.post("/chat")(chat)

    client = importlib.import_module("starlette.testclient").TestClient(app, raise_server_exceptions=False)
    assert client.post(f"/chat?q={SECRET}", json={"prompt": SECRET}).status_code == 500


def _flask(handle: Callable[[str], None]) -> None:
    flask = importlib.import_module("flask")
    app: Any = flask.Flask("app")

    def chat() -> None:
        handle(flask.request.get_json()["prompt"])

    app.post("/chat")(chat)

    response = app.test_client().post(f"/chat?q={SECRET}", json={"prompt": SECRET})
    assert response.status_code == 500


def _celery(handle: Callable[[str], None]) -> None:
    celery = importlib.import_module("celery")
    app: Any = celery.Celery("app", set_as_current=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=False)
    app.task(name="ask")(handle).delay(SECRET)


_FRAMEWORKS = {
    "fastapi": (_fastapi, ("starlette.StarletteIntegration", "fastapi.FastApiIntegration")),
    "flask": (_flask, ("flask.FlaskIntegration",)),
    "celery": (_celery, ("celery.CeleryIntegration",)),
}


def _integrations(names: tuple[str, ...]) -> tuple[Any, ...]:
    parts = [name.split(".") for name in names]
    return tuple(getattr(importlib.import_module(f"sentry_sdk.integrations.{module}"), cls)() for module, cls in parts)


def _holds_no_secret(recorder: Recorder) -> None:
    for envelope in recorder.sent:
        assert SECRET.encode() not in envelope, envelope.decode()


@pytest.mark.filterwarnings("ignore:The send_default_pii option:DeprecationWarning")
@pytest.mark.parametrize("pii", [False, True])
@pytest.mark.parametrize("handle", [_call, _report_and_raise])
@pytest.mark.parametrize("framework", _FRAMEWORKS)
def test_one_event_without_the_request(
    start: Start, monkeypatch: pytest.MonkeyPatch, framework: str, handle: Callable[[str], None], pii: bool
) -> None:
    """A handler that crashes, with or without a report before, for a prompt that came with the request."""
    monkeypatch.setattr("sys.argv", ["app", SECRET])
    run, names = _FRAMEWORKS[framework]
    recorder = start(also=(ArgvIntegration(), *_integrations(names)), **personal_data(pii))
    claudescope.instrument()
    run(handle)
    assert recorder.event["tags"]["claude.error_type"] == "rate_limit_error"
    _holds_no_secret(recorder)
