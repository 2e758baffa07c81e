"""Tells whoever watches a call of the SDK's own retries, and counts the tokens of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from claudescope._internal import internal_errors
from claudescope._internal.call_events import WATCHER, CallEvent, Retrying, Sending, Writing, tell
from claudescope.probe.attempts import error_type_of
from claudescope.probe.response import field_of, is_content
from claudescope.schema.classify import classify_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span

    from claudescope.probe.interfaces import CapturedContent
    from claudescope.schema.record import CallRecord

__all__ = ["counting", "retrying", "sending_again"]

_CHARACTERS = 4
"""Characters of a token of English text, on average."""


def retrying(client: Any, error: BaseException | None, given: Mapping[str, Any]) -> None:
    """Tell that the SDK is about to sleep before it tries again. Never raises.

    Args:
        client: The SDK's client.
        error: The exception that it retries; None where it has none.
        given: The arguments of the SDK's `_sleep_for_retry`.
    """
    watcher = WATCHER.get()
    if watcher is None:
        return
    try:
        response, taken, most = given.get("response"), given["retries_taken"], given["max_retries"]
        headers = None if response is None else response.headers
        # The SDK draws its jitter anew, so that its wait is at most a quarter off.
        wait = client._calculate_retry_timeout(most - taken, given["options"], headers)  # noqa: SLF001
        failed: str
        if response is not None:
            failed = classify_response(response.status_code, None).name
        else:
            failed = "unknown_error" if error is None else error_type_of(error, streaming=False)
        watcher(Retrying(wait, taken + 2, most + 1, failed))
    except Exception:  # noqa: BLE001 - an internal error must not reach the app
        internal_errors.record("progress")


def sending_again(given: Mapping[str, Any]) -> None:
    """Tell that the SDK has slept, and sends the next attempt. `given` as for `retrying`. Never raises."""
    taken = given.get("retries_taken")
    if isinstance(taken, int):
        tell(Sending(taken + 2))


def counting(content: CapturedContent | None) -> CapturedContent | None:
    """What captures the content of a call that is watched; `content` where nobody watches."""
    watcher = WATCHER.get()
    return content if watcher is None else _Counting(content, watcher)


class _Counting:
    """Counts the tokens of a stream, and hands its events on. Keeps nothing of it."""

    def __init__(self, content: CapturedContent | None, watcher: Callable[[CallEvent], object]) -> None:
        self._content = content
        self._watcher = watcher
        self._characters = 0
        self._told = 0

    def tokens(self) -> int:
        """The tokens so far."""
        return self._told or -(-self._characters // _CHARACTERS)

    def on_event(self, event: object) -> None:
        try:
            self._count(event)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("progress")
        if self._content is not None:
            self._content.on_event(event)

    def _count(self, event: object) -> None:
        if is_content(event):
            delta = field_of(event, "delta")
            parts = (field_of(delta, name) for name in ("text", "thinking", "partial_json"))
            before, self._characters = self._characters, self._characters + sum(len(part) for part in parts if part)
            if not before:
                self._watcher(Writing(self.tokens))
        elif field_of(event, "type") == "message_delta":
            self._told = field_of(field_of(event, "usage"), "output_tokens") or self._told

    def read(self, message: object) -> None:
        if self._content is not None:
            self._content.read(message)

    def write(self, span: Span) -> None:
        if self._content is not None:
            self._content.write(span)

    def emit(self, record: CallRecord) -> None:
        if self._content is not None:
            self._content.emit(record)
