"""Decides where each signal goes, from arguments and from the standard variables, before anything is made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from claudescope._internal.exceptions import BadInputError
from claudescope.export.exporters import Signal, has_endpoint

__all__ = ["SIGNALS", "Plan", "plan"]

SIGNALS: Final[tuple[Signal, ...]] = ("traces", "metrics", "logs")

_OTLP: Final = {"otlp": None, "otlp_proto_grpc": "grpc", "otlp_proto_http": "http/protobuf"}
_PROMETHEUS_PORT: Final = 9464


@dataclass(frozen=True, slots=True)
class Plan:
    """Where telemetry goes.

    Attributes:
        otlp: The signals that go out over OTLP, each with the protocol that was asked for, None for the usual.
        console: The signals that are printed.
        prometheus: Port and host of `/metrics`; None for no endpoint.
        explicit: An argument asked for it, and not the environment alone.
    """

    otlp: dict[Signal, str | None]
    console: frozenset[Signal]
    prometheus: tuple[int, str] | None
    explicit: bool

    @property
    def nothing(self) -> bool:
        """Whether nothing goes anywhere."""
        return not self.otlp and not self.console and self.prometheus is None


def plan(
    *,
    endpoint: str | None,
    protocol: str | None,
    prometheus_port: int | None,
    prometheus_host: str,
    console: bool | None,
    logs: bool,
) -> Plan:
    """Decide.

    Args:
        endpoint: Base URL of an OTLP receiver, for all signals; None for what the variables say.
        protocol: The OTLP protocol; None for what the variables say.
        prometheus_port: Port of `/metrics`; None for none.
        prometheus_host: Address of `/metrics`.
        console: Whether to print; None for only where nothing else is asked for.
        logs: Whether there are logs at all.

    Raises:
        BadInputError: A variable names an exporter that there is none of.
    """
    explicit = endpoint is not None or prometheus_port is not None or bool(console)
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Plan({}, frozenset(), None, explicit)
    otlp: dict[Signal, str | None] = {}
    printed: set[Signal] = set()
    prometheus = None if prometheus_port is None else (prometheus_port, prometheus_host)
    unsaid: list[Signal] = []
    for signal in SIGNALS if logs else SIGNALS[:2]:
        names = _named(signal)
        if names is None:
            unsaid.append(signal)
        for name in names or ():
            if name == "prometheus" and signal == "metrics":
                prometheus = prometheus or _standard_endpoint()
            elif name in _OTLP:
                otlp[signal] = protocol or _OTLP[name]
            elif name == "console":
                printed.add(signal)
            else:
                known = "otlp, console, prometheus or none" if signal == "metrics" else "otlp, console or none"
                raise BadInputError(f"OTEL_{signal.upper()}_EXPORTER={name}: expected {known}")
    for signal in unsaid:
        if endpoint is not None or has_endpoint(signal):
            otlp[signal] = protocol
    if console or (console is None and not otlp and prometheus is None):
        printed.update(unsaid)
    return Plan(otlp, frozenset(printed), prometheus, explicit)


def _named(signal: Signal) -> list[str] | None:
    """The exporters that the standard variable names; None where it is not set."""
    text = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip()
    if not text:
        return None
    return [name.strip() for name in text.split(",") if name.strip() not in {"", "none"}]


def _standard_endpoint() -> tuple[int, str]:
    port = os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or str(_PROMETHEUS_PORT)
    if not port.isdecimal():
        raise BadInputError(f"OTEL_EXPORTER_PROMETHEUS_PORT={port}: expected a port from 0 to 65535")
    return int(port), os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
