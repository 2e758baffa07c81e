"""Sentry's logs and streamed spans, which no event processor gets, have no private text either."""

from __future__ import annotations

import importlib
import logging
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
import sentry_sdk
from sentry_sdk.integrations.anthropic import AnthropicIntegration

import claudescope
from claudescope.sentry import Options, scrubbing, telemetry
from claudescope.sentry.exception_registry import EXCEPTIONS
from claudescope.sentry.integration import uninstall
from tests.scripted import REQUEST, ScriptedAPI, error, message
from tests.sentry.conftest import Recorder, Start
from tests.sentry.failures import fail, rate_limit
from tests.sentry.passing_on import FORMS

# In parts, so that Sentry's source context of this very file does not hold it.
_SECRET = "-".join(["hunter2", "correct", "horse", "battery"])
_IS_3 = sentry_sdk.VERSION.startswith("3.")
_log = logging.getLogger("app")


def _only_where(is_there: bool) -> Callable[[Callable[..., None]], Callable[..., None] | None]:
    """Leave a test out for versions of Sentry's SDK that have nothing to test. A skipped test fails under `CI=true`."""
    return lambda test: test if is_there else None


_needs_logs = _only_where(_IS_3 or tuple(map(int, sentry_sdk.VERSION.split(".")[:2])) >= (2, 50))
_needs_streamed_spans = _only_where(_IS_3)


def _with_logs(start: Start, options: Options | None = None, **others: Any) -> Recorder:
    return start(options, **({} if _IS_3 else {"enable_logs": True}), **others)


def _items(recorder: Recorder, kind: str) -> list[dict[str, Any]]:
    sentry_sdk.flush()
    return [item for payload in recorder.items(kind) for item in payload["items"]]


def _failed_call() -> Any:
    return fail(error(400, "invalid_request_error", f"was hit by: {_SECRET} and more"))


@_needs_logs
@pytest.mark.parametrize("instrumented", [True, False])
def test_logs(start: Start, instrumented: bool) -> None:
    """An API's message in every form, logged in the handler at any level, leaves replaced, in text and parameters."""
    recorder = _with_logs(start)
    if instrumented:
        claudescope.instrument()
    for form in FORMS.values():
        try:
            raise _failed_call()
        except anthropic.APIError as caught:
            _log.warning("no summary: %s", form(caught), extra={"detail": form(caught)})
            _log.error(form(caught))
    logs = _items(recorder, "log")
    assert len(logs) == 2 * len(FORMS)
    assert not [envelope for envelope in recorder.sent if _SECRET[:20] in envelope.decode().lower()]
    assert logs[0]["body"].startswith("no summary: 400 invalid_request_error")


@_needs_logs
def test_logs_by_option(start: Start) -> None:
    """`include_messages` keeps the texts, and other logs are never changed."""
    recorder = _with_logs(start, Options(include_messages=True))
    claudescope.instrument()
    _log.warning("no summary: %s", _failed_call())
    _log.warning("the cache is cold, see https://example.com/page?id=7")
    bodies = [log["body"] for log in _items(recorder, "log")]
    assert _SECRET in bodies[0]
    assert bodies[1] == "the cache is cold, see https://example.com/page?id=7"


@_needs_logs
def test_logs_with_whole_requests(start: Start) -> None:
    """What the SDK logs for debugging, prompt included, is dropped, and so is the query of an API URL."""
    recorder = _with_logs(start)
    logging.getLogger("anthropic._base_client").warning("Request options: %s", {"json_data": _SECRET})
    logging.getLogger("httpx").warning("POST https://api.anthropic.com/v1/messages?q=%s", _SECRET)
    assert [log["body"] for log in _items(recorder, "log")] == ["POST https://api.anthropic.com/v1/messages"]


@_needs_logs
def test_a_log_that_cannot_be_cleaned(
    start: Start, monkeypatch: pytest.MonkeyPatch, expected_faults: Counter[str]
) -> None:
    """An internal error costs the log its texts, and nothing else."""
    recorder = _with_logs(start)
    monkeypatch.setattr(scrubbing, "scrub_log", None)
    expected_faults["sentry"] = 1
    _log.warning("no summary: %s", _SECRET)
    (log,) = _items(recorder, "log")
    assert (log["level"], log["body"]) == ("warn", "")


@_needs_logs
def test_the_apps_own_filter_runs(start: Start) -> None:
    """`before_send_log` gets the cleaned log, and may drop it; after `uninstall` nothing is changed."""
    seen: list[str] = []

    def before(log: Any, _hint: Any) -> None:
        seen.append(log["body"])

    recorder = _with_logs(start, before_send_log=before)
    claudescope.instrument()
    caught = _failed_call()
    _log.warning("%s", caught)
    uninstall()
    _log.warning("%s", caught)
    assert seen == ["400 invalid_request_error", str(caught)]
    assert _items(recorder, "log") == []


@_needs_streamed_spans
@pytest.mark.parametrize("keep", [False, True])
def test_streamed_spans(start: Start, keep: bool) -> None:
    """Spans of Sentry's own integration have prompts and completions only where `include_prompts` keeps them."""
    recorder = start(Options(include_prompts=keep), also=(AnthropicIntegration(),), traces_sample_rate=1.0)
    request = {**REQUEST, "system": _SECRET, "messages": [{"role": "user", "content": _SECRET}]}
    start_span: Any = sentry_sdk.start_span
    with start_span(name="handler"):
        ScriptedAPI(message(content=[{"type": "text", "text": _SECRET}])).client().messages.create(**request)
    spans = [span["attributes"] for span in _items(recorder, "span")]
    (call,) = [attributes for attributes in spans if "gen_ai.request.model" in attributes]
    assert call["gen_ai.usage.output_tokens"]["value"] == 20
    assert any(_SECRET.encode() in envelope for envelope in recorder.sent) is keep


def test_spans_of_others() -> None:
    """Only spans of Sentry's Anthropic integration lose attributes, whatever form a span has."""
    attributes = {"sentry.origin": "auto.ai.openai", "gen_ai.request.messages": "x"}
    ours = {"sentry.origin": {"value": "auto.ai.anthropic"}, "gen_ai.request.messages": "x"}
    for one in (attributes, ours):
        telemetry.strip_content(type("Span", (), {"_attributes": one})())
    telemetry.strip_content(object())
    assert (list(attributes), list(ours)) == (["sentry.origin", "gen_ai.request.messages"], ["sentry.origin"])


def test_a_client_without_the_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of Sentry's SDK without the wrapped methods, or without the class, works as before."""
    client = importlib.import_module("sentry_sdk.client")
    for cls in (None, int):
        monkeypatch.setattr(client, "_Client", cls)
        telemetry.watch(lambda log: log, lambda _span: None)
        telemetry.unwatch()


@pytest.mark.timeout(60)
def test_a_report_from_a_finalizer(start: Start) -> None:
    """A finalizer may log while its thread holds a lock of ours, as asyncio's do: no thread waits for itself."""
    recorder = start(Options(burst=2))
    processor: Any = getattr(sys.modules["claudescope.sentry.integration"], "_processor")()  # noqa: B009
    owners: list[Any] = [EXCEPTIONS, scrubbing.QUOTES, processor._rate_limiter]
    for owner in owners:
        with owner._lock:
            sentry_sdk.capture_exception(fail(rate_limit()))
    assert len(recorder.events) == 2
