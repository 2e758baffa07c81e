"""Who watches the SDK: each subject's pinned packages, and how a user switches it on.

Every subject but `bare` has the SDK's own tracing on, as it is by default since 1.14.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ANTHROPIC", "OPENTELEMETRY", "SUBJECTS", "Subject"]

ANTHROPIC: Final = "anthropic==2.12.0"
OPENTELEMETRY: Final = "opentelemetry-sdk==1.45.2"

After = Callable[[], None]


@dataclass(frozen=True)
class Subject:
    """One way to watch the SDK.

    Attributes:
        title: What the tables call it.
        packages: What its environment has beside the SDK.
        switch_on: Switches it on; may return what runs after each call.
        traced: Whether the SDK's own tracing is on.
    """

    title: str
    packages: tuple[str, ...]
    switch_on: Callable[[], Any]
    traced: bool = True


def _nothing() -> None:
    pass


def _claudescope() -> None:
    import claudescope

    claudescope.instrument()


def _uninstrumented() -> None:
    import claudescope

    claudescope.instrument()
    claudescope.uninstrument()


def _official() -> None:
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()


SUBJECTS: Final = {
    "bare": Subject("the SDK without tracing", (), _nothing, traced=False),
    "tracing": Subject("the SDK's own tracing", (), _nothing),
    "claudescope": Subject("claudescope", (), _claudescope),
    "uninstrumented": Subject("claudescope, after `uninstrument()`", (), _uninstrumented),
}
