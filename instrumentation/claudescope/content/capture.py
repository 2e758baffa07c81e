"""Captures the content of a call, and writes it to the call's span and event.

Used only where the app asked for content. Memory is bounded: of a stream it collects no more than it can record, or
`MAX_GATHERED` where a redaction needs whole parts.
"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any, Final, cast

from opentelemetry.trace import Span

from claudescope._internal import internal_errors
from claudescope.content.options import Content, ContentMode
from claudescope.content.parts import Part, part_of, parts_of
from claudescope.content.truncation import Budget, fitted, redacted, to_json
from claudescope.probe.response import field_of
from claudescope.schema import attributes as names
from claudescope.schema.record import CallRecord
from claudescope.sinks.events import Events
from claudescope.sinks.logs import fields_of

__all__ = ["EVENT_NAME", "MAX_GATHERED", "Capture", "Captured"]

EVENT_NAME: Final = names.CONTENT_EVENT.name
"""The event of the GenAI conventions that holds the content of a call."""

MAX_GATHERED: Final = 1024 * 1024
"""Characters of a stream's answer that are collected for a redaction. Parts beyond it are left out."""

_INPUT: Final = names.INPUT_MESSAGES.name
_OUTPUT: Final = names.OUTPUT_MESSAGES.name
_SYSTEM: Final = names.SYSTEM_INSTRUCTIONS.name
_TRUNCATED: Final = names.CONTENT_TRUNCATED.name
_TEXTS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_EMPTY_PARTS: Final[dict[str, Part]] = {
    "text_delta": {"type": "text"},
    "thinking_delta": {"type": "reasoning"},
    "input_json_delta": {"type": "tool_call", "id": None, "name": ""},
}
_EVENT_FIELDS: Final = frozenset(each.name for each in names.ATTRIBUTES if "event" in each.emitted_on)


class Capture:
    """Begins to capture the content of each call.

    Args:
        content: How it is recorded.
        mode: Where it is recorded.
        events: Emits the events.
    """

    def __init__(self, content: Content, mode: ContentMode, events: Events) -> None:
        self.content = content
        self.on_spans = mode in {"SPAN_ONLY", "SPAN_AND_EVENT"}
        self.events = events if mode in {"EVENT_ONLY", "SPAN_AND_EVENT"} else None

    def begin(self, client: Any, body: object) -> Captured | None:
        """Take the prompt of a request, as it is now: the app may change its lists while a stream is read.

        Args:
            client: The SDK's client. Where its own content capture is on, only the SDK writes content to its span.
            body: The decoded body of a request to create a Message.

        Returns:
            The captured content; None where the prompt could not be read, which counts as an internal error.
        """
        try:
            sdk_writes = bool(getattr(getattr(client, "_otel", None), "records_content", False))
            return Captured(self, body, on_span=self.on_spans and not sdk_writes)
        except Exception:  # noqa: BLE001 - the app's call goes on, without its content recorded
            internal_errors.record("content")
            return None


class Captured:
    """The content of one call. No method raises.

    Args:
        capture: How it is recorded, and where.
        body: The decoded body of the request.
        on_span: Whether to write it to the call's span.
    """

    def __init__(self, capture: Capture, body: object, *, on_span: bool) -> None:
        options = capture.content
        self._capture = capture
        self._on_span = on_span
        self._gathered = _Gathered(MAX_GATHERED if options.redact else options.max_bytes)
        self._answer: list[Part] | None = None
        self._changed = False
        self._output: list[dict[str, Any]] = []
        self._on_span_already = False
        self._truncated = False
        self._inputs = self._read_inputs(body)

    def _read_inputs(self, body: object) -> dict[str, Any]:
        options = self._capture.content
        inputs: dict[str, Any] = {}
        budget = Budget(options.max_bytes)
        system = self._fit("system", parts_of(field_of(body, "system")), budget)
        if system:
            inputs[_SYSTEM] = system
        budget = Budget(options.max_bytes)
        messages: list[dict[str, Any]] = []
        given = field_of(body, "messages")
        # The newest first, so that messages that are left out are not read.
        for message in reversed(cast("list[object]", given) if isinstance(given, (list, tuple)) else []):
            role = str(field_of(message, "role") or "user")
            if budget.full or not budget.spend({"role": role, "parts": []}):
                budget.truncated = True
                break
            kept = [
                taken
                for part in reversed(parts_of(field_of(message, "content")))
                if (safe := redacted(role, part, options.redact)) is not None
                and (taken := budget.take(safe)) is not None
            ]
            messages.append({"role": role, "parts": kept[::-1]})
        inputs[_INPUT] = messages[::-1]
        self._truncated |= budget.truncated
        return inputs

    def _fit(self, role: str, parts: list[Part], budget: Budget) -> list[Part]:
        redact = self._capture.content.redact
        kept = fitted((safe for part in parts if (safe := redacted(role, part, redact)) is not None), budget)
        self._truncated |= budget.truncated
        return kept

    def on_event(self, event: object) -> None:
        """Take one event of a stream, a model or decoded."""
        try:
            if self._gathered.see(event):
                self._changed = True
        except Exception:  # noqa: BLE001 - see the class
            internal_errors.record("content")

    def read(self, message: object) -> None:
        """Take a whole Message."""
        try:
            content = field_of(message, "content")
            if content is not None:
                self._answer = parts_of(content)
                self._changed = True
        except Exception:  # noqa: BLE001 - see the class
            internal_errors.record("content")

    def write(self, span: Span) -> None:
        """Write what is new to the call's span, where content is recorded on spans."""
        if not self._on_span or not span.is_recording():
            return
        try:
            if not self._on_span_already:
                self._on_span_already = True
                span.set_attributes({name: to_json(value) for name, value in self._inputs.items()})
            if self._changed and (output := self._read_output()):
                span.set_attribute(_OUTPUT, to_json(output))
            if self._truncated:
                span.set_attribute(_TRUNCATED, True)
        except Exception:  # noqa: BLE001 - see the class
            internal_errors.record("content")

    def emit(self, record: CallRecord) -> None:
        """Emit the event of the call, which has ended, where content is recorded in events."""
        events = self._capture.events
        if events is None:
            return
        try:
            attributes: dict[str, Any] = {
                name: value for name, value in fields_of(record).items() if name in _EVENT_FIELDS
            }
            attributes |= self._inputs
            if output := self._read_output():
                attributes[_OUTPUT] = output
            if self._truncated:
                attributes[_TRUNCATED] = True
            events.emit(EVENT_NAME, record, attributes)
        except Exception:  # noqa: BLE001 - see the class
            internal_errors.record("content")

    def _read_output(self) -> list[dict[str, Any]]:
        if self._changed:
            self._changed = False
            if self._answer is not None:
                parts = self._answer
            else:
                parts = self._gathered.parts(whole=self._capture.content.redact is not None)
                self._truncated |= self._gathered.cut
            budget = Budget(self._capture.content.max_bytes)
            fits = budget.spend({"role": "assistant", "parts": []})
            kept = self._fit("assistant", parts if fits else [], budget)
            self._truncated |= not fits
            self._output = [{"role": "assistant", "parts": kept}] if kept else []
        return self._output


class _Block:
    def __init__(self, part: Part) -> None:
        self.part = part
        self.text = StringIO()
        self.cut = False


class _Gathered:
    """The blocks of a streamed answer, up to a number of characters.

    Attributes:
        cut: Whether something was left out.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._blocks: dict[object, _Block] = {}
        self.cut = False

    def see(self, event: object) -> bool:
        """Take an event, and return whether it held a piece of the answer."""
        event_type = field_of(event, "type")
        if event_type == "content_block_start":
            part = part_of(field_of(event, "content_block"))
            self._add(field_of(event, "index"), part, len(to_json(part)))
            return True
        if event_type != "content_block_delta":
            return False
        delta = field_of(event, "delta")
        delta_type = field_of(delta, "type")
        name = _TEXTS.get(delta_type)
        text = field_of(delta, name) if name else None
        if not isinstance(text, str):
            return False
        index = field_of(event, "index")
        block = self._blocks.get(index) or self._add(index, dict(_EMPTY_PARTS[delta_type]), 0)
        if block is not None:
            block.text.write(text[: self._left])
            if len(text) > self._left:
                block.cut = self.cut = True
            self._left -= min(len(text), self._left)
        return True

    def _add(self, index: object, part: Part, size: int) -> _Block | None:
        if size > self._left or self._left == 0:
            self.cut = True
            return None
        self._left -= size
        block = self._blocks[index] = _Block(part)
        return block

    def parts(self, *, whole: bool) -> list[Part]:
        """The parts so far; with `whole`, without those that are incomplete."""
        return [_finished(block) for block in self._blocks.values() if not (whole and block.cut)]


def _finished(block: _Block) -> Part:
    part, text = block.part, block.text.getvalue()
    if not text:
        return part
    if "content" in part or part["type"] in {"text", "reasoning"}:
        return {**part, "content": part.get("content", "") + text}
    try:
        arguments: object = json.loads(text)
    except ValueError:
        arguments = text  # the stream ended within them
    if part["type"] == "server_tool_call":
        return {**part, "server_tool_call": {**part["server_tool_call"], "arguments": arguments}}
    return {**part, "arguments": arguments}
