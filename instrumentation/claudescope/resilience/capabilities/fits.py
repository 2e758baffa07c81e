"""Whether a model can serve a request, and what has to change in the request for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from claudescope.probe.response import field_of
from claudescope.resilience.body import blocks, estimate_tokens, mapping, sequence, turns, whole
from claudescope.resilience.capabilities.models import EFFORTS, Capabilities

__all__ = ["adapted", "is_gone", "misfits", "needed"]

_LEAST_BUDGET: Final = 1024
_LEAST_ROOM: Final = 1
_SAMPLING: Final = ("temperature", "top_p", "top_k")
_NAMES: Final = {
    "images": "images",
    "documents": "PDF documents",
    "structured": "structured outputs",
    "system_messages": "messages with the role 'system'",
    "prefill": "a prefilled answer (the last message has the role 'assistant')",
    "forced_tools": "a forced tool_choice",
}


def needed(body: Mapping[str, Any]) -> frozenset[str]:
    """What a request needs of a model and can't do without: values of `Refusal`."""
    found: set[str] = set()
    messages = turns(body)
    for turn in messages:
        if field_of(turn, "role") == "system":
            found.add("system_messages")
        for block in blocks(field_of(turn, "content")):
            kind = field_of(block, "type")
            if kind == "image":
                found.add("images")
            elif kind == "document" and field_of(field_of(block, "source"), "type") not in ("text", "content"):
                found.add("documents")
    if messages and field_of(messages[-1], "role") == "assistant":
        found.add("prefill")
    if field_of(field_of(body, "tool_choice"), "type") in ("any", "tool"):
        found.add("forced_tools")
    if field_of(field_of(body, "output_config"), "format") or field_of(body, "output_format"):
        found.add("structured")
    if any(field_of(tool, "strict") is True for tool in sequence(field_of(body, "tools"))):
        found.add("structured")
    return frozenset(found)


def is_gone(able: Capabilities, today: date) -> bool:
    """Whether the API no longer serves a model. A date that the API gave may be overdue; one of the table may not."""
    if able.retired:
        return True
    return able.source == "table" and able.retires_on is not None and able.retires_on < today


def misfits(body: Mapping[str, Any], able: Capabilities, today: date) -> tuple[str, ...]:
    """Why a model can't serve a request, in words, even after `adapted`; empty where it can."""
    if is_gone(able, today):
        return (f"{able.model} is retired" + (f" since {able.retires_on}" if able.retires_on else ""),)
    reasons = [
        f"{able.model} does not take {_NAMES[need]}" for need in sorted(needed(body) & able.refuses) if need in _NAMES
    ]
    if able.max_input_tokens is not None:
        likely = estimate_tokens(body).likely
        if likely > able.max_input_tokens:
            reasons.append(
                f"the input has about {likely} tokens, and the window of {able.model} has {able.max_input_tokens}"
            )
    if _wants_thinking(body) and able.thinking is not None and not able.thinking & {"adaptive", "enabled"}:
        reasons.append(f"{able.model} does not think")
    return tuple(reasons)


def _wants_thinking(body: Mapping[str, Any]) -> bool:
    return field_of(field_of(body, "thinking"), "type") in ("enabled", "adaptive")


def adapted(body: Mapping[str, Any], able: Capabilities) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A copy of a request for another model, without what that model answers with a 400.

    Messages are never changed: signed thinking blocks stay as they are.

    Args:
        body: The request.
        able: What the model can do. What is not known of it is left as it is.

    Returns:
        The copy, and what was changed, in words.
    """
    made, changes = dict(body), list[str]()
    _fit_length(made, able, changes)
    _fit_thinking(made, able, changes)
    _fit_effort(made, able, changes)
    if "sampling" in able.refuses:
        for name in _SAMPLING:
            if made.get(name) is not None:
                del made[name]
                changes.append(f"{name} is left out")
    if "fast" in able.refuses and made.get("speed") == "fast":
        del made["speed"]
        changes.append("speed: fast is left out")
    return made, tuple(changes)


def _fit_length(made: dict[str, Any], able: Capabilities, changes: list[str]) -> None:
    asked = whole(made.get("max_tokens"))
    if asked is not None and able.max_tokens is not None and asked > able.max_tokens:
        made["max_tokens"] = able.max_tokens
        changes.append(f"max_tokens: {asked} becomes {able.max_tokens}")


def _fit_thinking(made: dict[str, Any], able: Capabilities, changes: list[str]) -> None:
    thinking = mapping(made.get("thinking"))
    kind = thinking.get("type")
    if not isinstance(kind, str) or able.thinking is None:
        return
    if kind not in able.thinking:
        instead = _thinking_instead(kind, thinking, able.thinking, made)
        if instead is None:
            del made["thinking"]
            changes.append(f"thinking: {kind} is left out")
        else:
            made["thinking"] = instead
            changes.append(f"thinking: {kind} becomes {instead['type']}")
    elif kind == "enabled":
        _fit_budget(made, thinking, changes)


def _thinking_instead(
    kind: str, thinking: Mapping[str, Any], accepted: frozenset[str], made: Mapping[str, Any]
) -> dict[str, Any] | None:
    shown = {"display": thinking["display"]} if thinking.get("display") is not None else {}
    if kind in ("disabled", "between_tools"):
        other = "between_tools" if kind == "disabled" else "disabled"
        return {"type": other} if other in accepted else None
    if "adaptive" in accepted:
        return {"type": "adaptive", **shown}
    if "enabled" in accepted:
        room = (whole(made.get("max_tokens")) or 0) // 2
        return {"type": "enabled", "budget_tokens": room, **shown} if room >= _LEAST_BUDGET else None
    return None


def _fit_budget(made: dict[str, Any], thinking: Mapping[str, Any], changes: list[str]) -> None:
    budget, longest = whole(thinking.get("budget_tokens")), whole(made.get("max_tokens"))
    if budget is None or longest is None or budget < longest:
        return
    if longest - _LEAST_ROOM < _LEAST_BUDGET:
        del made["thinking"]
        changes.append("thinking: enabled is left out, as max_tokens has no room for it")
    else:
        made["thinking"] = {**thinking, "budget_tokens": longest - _LEAST_ROOM}
        changes.append(f"thinking.budget_tokens: {budget} becomes {longest - _LEAST_ROOM}")


def _fit_effort(made: dict[str, Any], able: Capabilities, changes: list[str]) -> None:
    config = mapping(made.get("output_config"))
    effort = config.get("effort")
    if not isinstance(effort, str) or able.effort is None or effort in able.effort:
        return
    lower = [level for level in EFFORTS[: EFFORTS.index(effort)] if level in able.effort] if effort in EFFORTS else []
    rest = {key: value for key, value in config.items() if key != "effort"}
    if lower:
        rest["effort"] = lower[-1]
        changes.append(f"effort: {effort} becomes {lower[-1]}")
    else:
        changes.append(f"effort: {effort} is left out")
    if rest:
        made["output_config"] = rest
    else:
        del made["output_config"]
