"""Reads the facts of a call from parsed models, decoded bodies and events.

The SDK validates a response against its type only on request, so a field can be missing, or have another type or an
absurd value. Implausible values are ignored. Nothing here reads a prompt or a completion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from claudescope.schema.record import Usage, draft_of

__all__ = [
    "CONTENT",
    "MessageFacts",
    "field_of",
    "is_content",
    "is_success",
    "json_of",
    "name_of",
]

CONTENT: Final = "content_block_delta"
"""The type of the events that carry a piece of the answer: nearly all events of a stream."""
_COUNTS: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_ABSURD: Final = 1 << 53
_NO_TOOLS: Final[Mapping[str, int]] = MappingProxyType({})
_DraftUsage: Final = draft_of(Usage)
_MAX_NAME: Final = 200
"""Longest model name, request id or finish reason that is accepted, in characters."""


def field_of(source: object, name: str) -> Any:
    """A field of a model or of a decoded body; None where it is missing."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get(name)
    return getattr(source, name, None)


@lru_cache(maxsize=256)
def _is_sdk_model(source_class: type[Any]) -> bool:
    return source_class.__module__.startswith("anthropic.")


def _getter(source: object) -> Callable[[str], Any]:
    """A function that returns the fields of a model or of a decoded body by name, faster than `field_of`."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get
    if _is_sdk_model(type(source)):  # type: ignore[arg-type] # a class is hashable; mypy looks at its instances
        # pydantic keeps fields that the model's type does not know elsewhere, and reading them one by one is slow.
        extra = cast("dict[str, object] | None", getattr(source, "__pydantic_extra__", None))
        return ({**extra, **source.__dict__} if extra else source.__dict__).get
    return lambda name: getattr(source, name, None)


def is_content(event: object) -> bool:
    """Whether an event of a stream, a model or decoded, carries only a piece of the answer. Never raises."""
    try:
        return bool(field_of(event, "type") == CONTENT)
    except Exception:  # noqa: BLE001 - it may be any object
        return False


def _count(value: object) -> int | None:
    """A plausible number of tokens or uses, or None."""
    if value is None:
        return None  # the usual case
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _ABSURD:
        return value
    return None


def name_of(value: object) -> str | None:
    """A plausible model name, request id or similar, or None."""
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME else None


def _fields(source: object) -> Iterable[tuple[str, object]]:
    """The fields of a model, including those that its type does not know, or of a decoded body."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).items()
    known = cast("dict[str, object]", getattr(source, "__dict__", None) or {})
    extra = cast("dict[str, object]", getattr(source, "__pydantic_extra__", None) or {})
    return (*known.items(), *extra.items())


class _Iteration(NamedTuple):
    """An entry of `usage.iterations`: one sampling of a model."""

    kind: str
    model: str | None
    usage: Usage


_BILLED_APART: Final = frozenset({"compaction", "advisor_message"})
_SAMPLINGS: Final = frozenset({"message", "fallback_message"})
_MAX_ITERATIONS: Final = 1000


def _writes_by_ttl(creation: object) -> tuple[int, int] | None:
    """The tokens written to the cache for five minutes and for one hour; None where neither is known."""
    five_minutes = _count(field_of(creation, "ephemeral_5m_input_tokens"))
    one_hour = _count(field_of(creation, "ephemeral_1h_input_tokens"))
    return None if five_minutes is one_hour is None else (five_minutes or 0, one_hour or 0)


def _read_iterations(entries: object) -> tuple[_Iteration, ...]:
    if not isinstance(entries, (list, tuple)):
        return ()
    found = (_read_iteration(entry) for entry in cast("list[object]", entries)[:_MAX_ITERATIONS])
    return tuple(iteration for iteration in found if iteration is not None)


def _read_iteration(entry: object) -> _Iteration | None:
    kind = name_of(field_of(entry, "type"))
    facts = MessageFacts()
    facts.read_usage(entry)
    usage = facts.usage()
    if kind is None or usage is None:
        return None
    return _Iteration(kind, name_of(field_of(entry, "model")), usage)


def _samplings(iterations: Iterable[_Iteration], total: Usage, model: str | None) -> tuple[Usage, ...]:
    """The samplings whose tokens add up to those of the top level; empty for one, or where none add up.

    A declined fallback hop is a sampling that the top level does not include.
    """
    every = [entry for entry in iterations if entry.kind in _SAMPLINGS]
    served = [entry for entry in every if entry.model in {None, model}]
    for entries in (every, served):
        usages = tuple(entry.usage for entry in entries)
        if len(usages) > 1 and all(
            sum(getattr(usage, name) for usage in usages) == getattr(total, name) for name in _ADD_UP
        ):
            return usages
    return ()


_ADD_UP: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)


class MessageFacts:
    """The facts of a Message, from one body or from the events of a stream.

    The usage of `message_delta` is cumulative: its fields replace those of `message_start`.

    Attributes:
        model: The model that answered; None until it is known.
        finish_reason: Why it stopped; None until it is known.
        stopped: Whether the last event of a stream has arrived.
        fell_back: Whether another model than the one that was asked for took over.
        told: Whether a policy tells what is billed, as the usage in the events is that of several answers.
    """

    # On the class, as most stay as they are: every call has one of these.
    model: str | None = None
    finish_reason: str | None = None
    stopped: bool = False
    fell_back: bool = False
    told: bool = False
    _cache_writes: tuple[int, int] = (0, 0)
    _reasoning: int = 0
    _server_tools: Mapping[str, int] = _NO_TOOLS
    _service_tier: str | None = None
    _speed: str | None = None
    _geo: str | None = None
    _iterations: tuple[_Iteration, ...] = ()
    _usage: Usage | None = None

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    @property
    def complete(self) -> bool:
        """Whether the answer is complete: an app that closes the stream now misses nothing."""
        return self.stopped or self.finish_reason is not None

    def read_message(self, message: object) -> None:
        """Take a whole Message, or the one that `message_start` begins."""
        get = _getter(message)
        self.model = name_of(get("model")) or self.model
        self.finish_reason = name_of(get("stop_reason")) or self.finish_reason
        self.read_usage(get("usage"))

    def read_block(self, block: object) -> None:
        """Take the content block that `content_block_start` begins: a `fallback` names the model that goes on."""
        if field_of(block, "type") == "fallback":
            self._served_by(name_of(field_of(field_of(block, "to"), "model")))

    def _served_by(self, model: str | None) -> None:
        if model is not None:
            self.model, self.fell_back, self._usage = model, True, None

    def bill_as_batch(self) -> None:
        """Count the usage as that of a message batch, even where the answer does not say so."""
        self._service_tier, self._usage = "batch", None

    def read_delta(self, event: object) -> None:
        """Take a `message_delta` event."""
        self.finish_reason = name_of(field_of(field_of(event, "delta"), "stop_reason")) or self.finish_reason
        if not self.told:
            self.read_usage(field_of(event, "usage"))

    def read_usage(self, usage: object) -> None:
        """Take a `usage`, or an entry of `usage.iterations`."""
        if usage is None:
            return
        get, counts = _getter(usage), self._counts
        for name in _COUNTS:
            value = get(name)
            if value.__class__ is int and 0 <= value < _ABSURD:  # like `_count`, without a call for each
                counts[name] = value
        self._usage = None
        self._read_details(get)

    def _read_details(self, get: Callable[[str], Any]) -> None:
        creation, details = get("cache_creation"), get("output_tokens_details")
        if creation is not None:
            self._cache_writes = _writes_by_ttl(creation) or self._cache_writes
        if details is not None and (thinking := _count(field_of(details, "thinking_tokens"))) is not None:
            self._reasoning = thinking
        if (tools := get("server_tool_use")) is not None:
            for name, value in _fields(tools):
                uses = _count(value)
                if uses and name.endswith("_requests"):
                    self._server_tools = {**self._server_tools, name.removesuffix("_requests"): uses}
        if (tier := get("service_tier")) is not None:
            self._service_tier = name_of(tier) or self._service_tier
        if (speed := get("speed")) is not None:
            self._speed = name_of(speed) or self._speed
        if (geo := get("inference_geo")) is not None:
            self._geo = name_of(geo) or self._geo
        if (iterations := get("iterations")) is not None:
            self._iterations = _read_iterations(iterations) or self._iterations
            self._served_by(next((i.model for i in reversed(self._iterations) if i.kind == "fallback_message"), None))

    def usage(self) -> Usage | None:
        """What was billed so far; None where nothing is known. Returns the same object until more is known."""
        usage, counts = self._usage, self._counts
        if usage is not None or not ("input_tokens" in counts or "output_tokens" in counts):
            return usage
        count = counts.get
        read, (five_minutes, one_hour) = count("cache_read_input_tokens", 0), self._cache_writes
        # A breakdown and a total that disagree: the larger, as it is not known which of them is billed.
        written = max(count("cache_creation_input_tokens", 0), five_minutes + one_hour)
        usage = _DraftUsage(
            count("input_tokens", 0) + read + written,
            max(count("output_tokens", 0), self._reasoning),
            read,
            written - one_hour,
            one_hour,
            self._reasoning,
            dict(self._server_tools),
            self._service_tier,
            self._speed,
            self._geo,
        )
        usage.__class__ = Usage
        if self._iterations:
            usage = replace(usage, iterations=_samplings(self._iterations, usage, self.model))
        self._usage = usage
        return usage

    def extra(self) -> tuple[tuple[str, str | None, Usage], ...]:
        """What was billed so far beside `usage`: kind, model and tokens of each.

        The API says of a `compaction` that its tokens are not in the fields of the top level, and an `advisor_message`
        is billed for a model of its own. Entries of other kinds are parts of the top level, or fallback hops that
        declined, which are not billed.
        """
        if not self._iterations:
            return ()
        tier, geo = self._service_tier, self._geo
        return tuple(
            (
                entry.kind,
                entry.model or self.model,
                replace(
                    entry.usage,
                    service_tier=tier,
                    inference_geo=geo,
                    # A compaction is the same model at the same speed.
                    speed=self._speed if entry.kind == "compaction" else None,
                ),
            )
            for entry in self._iterations
            if entry.kind in _BILLED_APART
        )


def json_of(response: Any) -> object:
    """The decoded body of a response; None where it is not valid JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def is_success(response: Any) -> bool:
    """Whether a response has a status of success. Faster than httpx' own property."""
    status: int = response.status_code
    return 200 <= status < 300
