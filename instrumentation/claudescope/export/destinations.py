"""Decides where each signal goes, by arguments and by OpenTelemetry's standard variables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from claudescope._internal.exceptions import BadInputError
from claudescope.export.exporters import Signal, has_endpoint

__all__ = ["SIGNALS", "Destinations", "choose_destinations"]

SIGNALS: Final[tuple[Signal, ...]] = ("traces", "metrics", "logs")

_OTLP_PROTOCOLS: Final = {"otlp": None, "otlp_proto_grpc": "grpc", "otlp_proto_http": "http/protobuf"}
"""The protocol of each exporter name for OTLP; None where other variables decide."""

_PROMETHEUS_PORT: Final = 9464


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where telemetry goes.

    Attributes:
        otlp: The signals sent over OTLP, each with the requested protocol; None for the default protocol.
        console: The signals printed to standard error.
        prometheus: Port and host of `/metrics`; None without an endpoint.
        explicit: Whether an argument asks for a destination, and not only the environment.
    """

    otlp: dict[Signal, str | None]
    console: frozenset[Signal]
    prometheus: tuple[int, str] | None
    explicit: bool

    @property
    def is_empty(self) -> bool:
        """Whether no signal goes anywhere."""
        return not self.otlp and not self.console and self.prometheus is None


def choose_destinations(
    *,
    endpoint: str | None,
    protocol: str | None,
    prometheus_port: int | None,
    prometheus_host: str,
    console: bool | None,
    logs: bool,
) -> Destinations:
    """Choose the destinations of all signals.

    Args:
        endpoint: Base URL of an OTLP receiver for all signals; None to use the standard variables.
        protocol: The OTLP protocol; None to use the standard variables.
        prometheus_port: Port of `/metrics`; None for no endpoint.
        prometheus_host: Address of `/metrics`.
        console: Whether to print; None to print only where there is no other destination.
        logs: Whether log records are exported.

    Raises:
        BadInputError: A variable names an unknown exporter, or the port of `/metrics` is invalid.
    """
    explicit = endpoint is not None or prometheus_port is not None or bool(console)
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Destinations({}, frozenset(), None, explicit)
    signals = SIGNALS if logs else SIGNALS[:2]
    named: dict[Signal, list[str] | None] = {signal: _named_exporters(signal) for signal in signals}
    unset: list[Signal] = [signal for signal, names in named.items() if names is None]
    otlp: dict[Signal, str | None] = {
        signal: protocol or _OTLP_PROTOCOLS[name] for signal, name in _pairs(named) if name in _OTLP_PROTOCOLS
    }
    otlp |= {signal: protocol for signal in unset if endpoint is not None or has_endpoint(signal)}
    prometheus = None if prometheus_port is None else (prometheus_port, prometheus_host)
    if prometheus is None and "prometheus" in (named["metrics"] or ()):
        prometheus = _standard_prometheus_endpoint()
    printed: set[Signal] = {signal for signal, name in _pairs(named) if name == "console"}
    if console or (console is None and not otlp and prometheus is None):
        printed.update(unset)
    return Destinations(otlp, frozenset(printed), prometheus, explicit)


def _named_exporters(signal: Signal) -> list[str] | None:
    """The exporters in the standard variable of a signal, without `none`; None where the variable is not set.

    Raises:
        BadInputError: One of them is unknown.
    """
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    names = [name.strip() for name in text.split(",") if name.strip() not in {"", "none"}]
    others = ("console", "prometheus") if signal == "metrics" else ("console",)
    for name in names:
        if name not in _OTLP_PROTOCOLS and name not in others:
            raise BadInputError(f"{variable}={name}: expected {', '.join(('otlp', *others))} or none")
    return names


def _pairs(named: dict[Signal, list[str] | None]) -> Sequence[tuple[Signal, str]]:
    return [(signal, name) for signal, names in named.items() for name in names or ()]


def _standard_prometheus_endpoint() -> tuple[int, str]:
    port = os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or str(_PROMETHEUS_PORT)
    if not port.isdecimal():
        raise BadInputError(f"OTEL_EXPORTER_PROMETHEUS_PORT={port}: expected a port from 0 to 65535")
    return int(port), os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
