"""The environment variables of claudescope, each declared once.

`configure`, `claudescope run` and the instrumentor read them, and their reference page is generated from this table.
What OpenTelemetry has a standard variable for has no variable here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from claudescope._internal.exceptions import BadInputError

__all__ = [
    "CONSOLE",
    "EXIT_TIMEOUT",
    "LOGS",
    "MAX_WORKFLOWS",
    "METRICS_HOST",
    "METRICS_PORT",
    "POLICY",
    "REPORT",
    "SETTINGS",
    "SPANS",
    "Setting",
]

T = TypeVar("T", str, int, float, bool)

_BOOLEANS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One environment variable.

    Attributes:
        name: The variable.
        kind: The type of its value: `str`, `int`, `float` or `bool`.
        default: The value where it is not set or empty; None for none.
        meaning: What it does, in one or two sentences.
        readers: What reads it.
        choices: The values that it can have; empty where any value of the type will do.
        minimum: The smallest allowed number; None for no limit.
        maximum: The largest allowed number; None for no limit.
    """

    name: str
    kind: type[T]
    default: T | None
    meaning: str
    readers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def read(self, environment: Mapping[str, str] = os.environ) -> T | None:
        """Read its value from the environment.

        Raises:
            BadInputError: Its value can't be used.
        """
        text = environment.get(self.name, "").strip()
        return self.parse(text, self.name) if text else self.default

    def parse(self, text: str, source: str) -> T:
        """Parse a value of this setting.

        Args:
            text: The text.
            source: Where the text comes from, for the message.

        Raises:
            BadInputError: The text is not a value of this setting.
        """
        value: Any = _BOOLEANS.get(text.lower()) if self.kind is bool else _convert(self.kind, text)
        if value is None or (self.choices and value not in self.choices) or not self._within(value):
            raise BadInputError(f"{source}={text}: expected {self.expected}")
        return value  # type: ignore[no-any-return]

    def _within(self, value: Any) -> bool:
        low = self.minimum is None or value >= self.minimum
        return low and (self.maximum is None or value <= self.maximum)

    @property
    def expected(self) -> str:
        """The allowed values, in words."""
        if self.choices:
            return " or ".join((", ".join(self.choices[:-1]), self.choices[-1]))
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[self.kind]
        if self.minimum is not None and self.maximum is not None:
            return f"{words} from {self.minimum:g} to {self.maximum:g}"
        return words if self.minimum is None else f"{words} of at least {self.minimum:g}"


def _convert(kind: type[Any], text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None


_ALL: Final = ("configure()", "claudescope run", "opentelemetry-instrument")
_EXPORTING: Final = ("configure()", "claudescope run")

SPANS: Final = Setting(
    "CLAUDESCOPE_SPANS",
    str,
    "auto",
    "Who makes the span of a call. `auto`: the SDK, and claudescope where the SDK can't trace itself. `own`: "
    "claudescope wherever the SDK makes none. `off`: only the SDK.",
    _ALL,
    choices=("auto", "own", "off"),
)
MAX_WORKFLOWS: Final = Setting(
    "CLAUDESCOPE_MAX_WORKFLOWS",
    int,
    100,
    "Distinct workflow names kept as label values; further ones are counted under `other`.",
    _ALL,
    minimum=1,
)
METRICS_PORT: Final = Setting(
    "CLAUDESCOPE_METRICS_PORT",
    int,
    None,
    "Serve `/metrics` for Prometheus on this port; 0 lets the system choose one. Under `claudescope run` one endpoint "
    "serves the sum of all processes.",
    _EXPORTING,
    minimum=0,
    maximum=65535,
)
METRICS_HOST: Final = Setting(
    "CLAUDESCOPE_METRICS_HOST",
    str,
    "127.0.0.1",
    "The address that `/metrics` is served on. Use `0.0.0.0` to let other machines scrape it.",
    _EXPORTING,
)
CONSOLE: Final = Setting(
    "CLAUDESCOPE_CONSOLE",
    bool,
    None,
    "Print telemetry to standard error. By default only where `configure()` finds no other destination.",
    ("configure()",),
)
LOGS: Final = Setting(
    "CLAUDESCOPE_LOGS",
    bool,
    True,
    "Export one structured log record per call with the other telemetry. Nothing is written to the app's own log.",
    _ALL,
)
EXIT_TIMEOUT: Final = Setting(
    "CLAUDESCOPE_EXIT_TIMEOUT",
    float,
    5.0,
    "Longest time that an exit or a SIGTERM waits until telemetry is delivered, in seconds.",
    _EXPORTING,
    minimum=0,
    maximum=60,
)
REPORT: Final = Setting(
    "CLAUDESCOPE_REPORT",
    bool,
    True,
    "Print the report when the command ends.",
    ("claudescope run",),
)
POLICY: Final = Setting(
    "CLAUDESCOPE_POLICY",
    str,
    None,
    "Protect every client by this policy: the path of a file, or `default` for the built-in policy. `off` for none.",
    ("protect()", "claudescope run"),
)

SETTINGS: Final[tuple[Setting[Any], ...]] = (
    SPANS,
    MAX_WORKFLOWS,
    METRICS_PORT,
    METRICS_HOST,
    CONSOLE,
    LOGS,
    EXIT_TIMEOUT,
    REPORT,
    POLICY,
)
"""All settings, in the order of the documentation."""
