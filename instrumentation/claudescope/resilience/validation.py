"""Checks of a request before it is sent, so that what the API would refuse costs no round trip.

Each check is asked for by its name in the policy's `validate`. They never refuse what the API may take: what is not
known of a model is not checked, and an estimate of tokens refuses only what is surely too long. Messages name the place
and the values that are wrong, and quote nothing of a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, cast

from claudescope.probe.response import field_of
from claudescope.resilience.body import estimate_tokens, mapping, plain, sequence, turns, whole
from claudescope.resilience.capabilities.fits import is_gone
from claudescope.resilience.capabilities.models import Capabilities
from claudescope.resilience.steps import Refused

__all__ = ["COUNTED", "check", "in_doubt"]

MAX_BYTES: Final = 32 * 1024 * 1024
"""https://platform.claude.com/docs/en/api/errors#request-size-limits: of a request to the Messages API."""

COUNTED: Final = (
    "messages", "model", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control",
)  # fmt: skip
"""The parameters that `count_tokens` takes."""

_ROLES: Final = ("user", "assistant", "system")
_LEAST_BUDGET: Final = 1024
_MOST_TOLD: Final = 5


def check(body: Mapping[str, Any], checks: frozenset[str], able: Capabilities | None, today: date) -> None:
    """Check a request.

    Args:
        body: The request.
        checks: The names of the checks.
        able: What its model can do; None where that is not known.
        today: The day, in UTC.

    Raises:
        Refused: The API would refuse it. The message has every problem that was found, up to five.
    """
    problems: list[str] = []
    for name, find in _CHECKS.items():
        if name in checks:
            problems += find(body, able, today)
    if problems:
        more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
        detail = "; ".join(problems[:_MOST_TOLD]) + more
        size = any(problem.startswith("the request has") for problem in problems)
        raise Refused("invalid", "request_too_large" if size else "invalid_request_error", detail)


def in_doubt(body: Mapping[str, Any], able: Capabilities | None) -> bool:
    """Whether only the API can tell if the input fits the model's window: it is near it by an estimate."""
    if able is None or able.max_input_tokens is None:
        return False
    return estimate_tokens(body).high > able.max_input_tokens


def check_count(counted: int, able: Capabilities) -> None:
    """Refuse an input that the API has counted.

    Raises:
        Refused: It is longer than the model's window.
    """
    if able.max_input_tokens is not None and counted > able.max_input_tokens:
        detail = f"the input has {counted} tokens, and the window of {able.model} has {able.max_input_tokens}"
        raise Refused("invalid", "invalid_request_error", detail)


def _roles(body: Mapping[str, Any], able: Capabilities | None, today: date) -> Iterator[str]:
    del today
    messages = turns(body)
    for number, turn in enumerate(messages):
        role = field_of(turn, "role")
        if role not in _ROLES:
            yield f"messages.{number}: the role is {str(role)[:20]!r}; expected 'user' or 'assistant'"
        elif role == "system" and able is not None and "system_messages" in able.refuses:
            yield f"messages.{number}: {able.model} takes no role 'system'; use the parameter `system`"
    if messages and all(field_of(turn, "role") == "assistant" for turn in messages):
        yield "messages: at least one message with the role 'user' is required"
    if able is not None and "prefill" in able.refuses and messages and _is_assistant(messages[-1]):
        yield f"messages.{len(messages) - 1}: {able.model} takes no prefilled answer; end with a message of the user"
    yield from _unanswered_tools(messages)


def _is_assistant(turn: object) -> bool:
    return bool(field_of(turn, "role") == "assistant")


def _unanswered_tools(messages: list[Any]) -> Iterator[str]:
    """Each use of a tool needs its result in the next turn, and each result its use in the turn before."""
    open_uses: dict[str, int] = {}
    results: set[str] = set()
    before: object = None
    for number, turn in enumerate(messages):
        role = field_of(turn, "role")
        if role not in ("user", "assistant"):
            continue
        if role == "assistant" and before != "assistant":
            yield from _missing(open_uses, results)
            open_uses, results = {}, set()
        for block in sequence(field_of(turn, "content")):
            kind = field_of(block, "type")
            if kind == "tool_use" and role == "assistant":
                open_uses[str(field_of(block, "id"))] = number
            elif kind == "tool_result":
                used = str(field_of(block, "tool_use_id"))
                results.add(used)
                if used not in open_uses:
                    yield f"messages.{number}: a tool_result has no tool_use in the message before it"
        before = role
    yield from _missing(open_uses, results)


def _missing(open_uses: Mapping[str, int], results: set[str]) -> Iterator[str]:
    for use, number in open_uses.items():
        if use not in results:
            yield f"messages.{number}: a tool_use has no tool_result in the message after it"


def _empty(body: Mapping[str, Any], able: Capabilities | None, today: date) -> Iterator[str]:
    del able, today
    given = field_of(body, "messages")
    messages = turns(body)
    if not messages and (given is None or isinstance(given, (list, tuple))):
        yield "messages: at least one message is required"
    for number, turn in enumerate(messages):
        content = field_of(turn, "content")
        last_answer = number == len(messages) - 1 and _is_assistant(turn)
        if isinstance(content, str):
            if not content.strip() and not (last_answer and not content):
                yield f"messages.{number}: the content is empty"
            elif last_answer and content != content.rstrip():
                yield f"messages.{number}: a prefilled answer must not end with white space"
        elif isinstance(content, (list, tuple)):
            parts = cast("list[object]", content)
            if not parts and not last_answer:
                yield f"messages.{number}: the content is empty"
            for place, block in enumerate(parts):
                text = field_of(block, "text")
                if field_of(block, "type") == "text" and isinstance(text, str) and not text.strip():
                    yield f"messages.{number}.content.{place}: the text is empty"


def _size(body: Mapping[str, Any], able: Capabilities | None, today: date) -> Iterator[str]:
    del able, today
    if 2 * _characters(body) < MAX_BYTES:
        return  # JSON takes at most a few bytes more for hardly any character
    try:
        size = len(json.dumps(plain(body), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    except (ValueError, TypeError):
        return
    if size > MAX_BYTES:
        yield f"the request has {size} bytes; the API takes {MAX_BYTES} (32 MB)"


def _characters(value: object) -> int:
    total, todo = 0, [value]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            total += len(part) + 4
        elif isinstance(part, (list, tuple)):
            todo += cast("list[object]", part)
        elif part is not None and not isinstance(part, (int, float, bytes)):
            inner = mapping(part)
            total += sum(len(key) + 4 for key in inner)
            todo += inner.values()
    return total


def _max_tokens(body: Mapping[str, Any], able: Capabilities | None, today: date) -> Iterator[str]:
    del today
    asked = field_of(body, "max_tokens")
    number = whole(asked)
    if number is None or number < 1:
        if asked is None or isinstance(asked, (int, float, str)):
            yield f"max_tokens: it is {asked!r}; expected a whole number of at least 1"
        return
    if able is not None and able.max_tokens is not None and number > able.max_tokens:
        yield f"max_tokens: {number} > {able.max_tokens}, the longest output of {able.model}"
    thinking = field_of(body, "thinking")
    budget = whole(field_of(thinking, "budget_tokens"))
    if field_of(thinking, "type") == "enabled" and budget is not None:
        if budget < _LEAST_BUDGET:
            yield f"thinking.budget_tokens: {budget} < {_LEAST_BUDGET}"
        elif budget >= number:
            yield f"thinking.budget_tokens: {budget} must be less than max_tokens, {number}"


def _window(body: Mapping[str, Any], able: Capabilities | None, today: date) -> Iterator[str]:
    del today
    if able is not None and able.max_input_tokens is not None:
        least = estimate_tokens(body).low
        if least > able.max_input_tokens:
            yield f"the input has more than {least} tokens, and the window of {able.model} {able.max_input_tokens}"


def _retired(body: Mapping[str, Any], able: Capabilities | None, today: date) -> Iterator[str]:
    del body
    if able is not None and is_gone(able, today):
        since = f" since {able.retires_on}" if able.retires_on else ""
        yield f"model: {able.model} is retired{since}; use a current model"


_Find = Callable[[Mapping[str, Any], "Capabilities | None", date], Iterator[str]]
_CHECKS: Final[Mapping[str, _Find]] = {
    "retired": _retired,
    "size": _size,
    "roles": _roles,
    "empty": _empty,
    "max_tokens": _max_tokens,
    "window": _window,
}
