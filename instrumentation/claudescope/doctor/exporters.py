"""Checks where telemetry goes, and whether the receivers answer."""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from claudescope import settings
from claudescope._internal.exceptions import BadInputError, MissingExtraError
from claudescope.doctor.finding import Finding, error, ok, warning
from claudescope.export.destinations import Destinations, choose_destinations
from claudescope.export.exporters import Signal, otlp_exporter, protocol_of

__all__ = ["check_exporters"]

_TIMEOUT: Final = "OTEL_EXPORTER_OTLP_TIMEOUT"
_SECONDS: Final = 3
_DEFAULTS: Final = {"grpc": "localhost:4317", "http/protobuf": "localhost:4318"}
_PRIVATE: Final = re.compile(r"https?://\S+|url: \S+|\S+@|:address lookup failed for \S+")
_OWN_METRIC: Final = b"gen_ai_client_"


def check_exporters(*, connect: bool) -> list[Finding]:
    """Check where each signal goes; with `connect` also whether its receiver answers."""
    try:
        destinations = choose_destinations(
            endpoint=None,
            protocol=None,
            prometheus_port=settings.METRICS_PORT.read(),
            prometheus_host=settings.METRICS_HOST.read() or "127.0.0.1",
            console=False,
            logs=bool(settings.LOGS.read()),
        )
    except BadInputError as exc:
        return [error("exporter", str(exc), "Set the variable to one of the expected values, or unset it")]
    if destinations.is_empty:
        return [
            warning(
                "exporter",
                "the environment sets no exporter: unless the app's code sets one, telemetry is not exported",
                "Set OTEL_EXPORTER_OTLP_ENDPOINT, such as http://127.0.0.1:4318, or use claudescope run --metrics-port",
            )
        ]
    found = list(_prometheus(destinations, connect=connect))
    with ThreadPoolExecutor(max_workers=3) as pool, _errors() as errors:
        checks = [
            pool.submit(_otlp, signal, protocol, errors, connect=connect)
            for signal, protocol in destinations.otlp.items()
        ]
        found += [each.result() for each in checks]
    return found


def _target(signal: Signal, protocol: str) -> str:
    """The host and port that a signal goes to, without credentials in the URL."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    endpoint = own or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or _DEFAULTS[protocol]
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _otlp(signal: Signal, requested: str | None, errors: dict[int, str], *, connect: bool) -> Finding:
    check = f"exporter.{signal}"
    try:
        protocol = protocol_of(signal, None, requested)
        with _short_timeout():
            exporter: Any = otlp_exporter(signal, None, requested).get()
    except BadInputError as exc:
        return error(check, str(exc), "Set the variable to one of the expected values, or unset it")
    except MissingExtraError as exc:
        return error(check, str(exc), "pip install 'claudescope[otlp]'")
    target = _target(signal, protocol)
    if not connect:
        return ok(check, f"{signal} go to {target} over {protocol}")
    if _answers(exporter, signal):
        return ok(check, f"{signal} go to {target} over {protocol}, and it answers")
    reason = errors.get(threading.get_ident(), "no answer")
    other = {"4317": ("http/protobuf", "grpc"), "4318": ("grpc", "http/protobuf")}.get(target.rpartition(":")[2])
    if other is not None and other[0] == protocol:
        return error(
            check,
            f"{signal} go to {target} over {protocol}, but this is the default port of {other[1]}, and the request "
            f"failed: {reason}",
            f"Set OTEL_EXPORTER_OTLP_PROTOCOL={other[1]}, or use the port for {protocol}",
        )
    return error(
        check,
        f"{signal} go to {target} over {protocol}, but it does not accept them, so they are lost: {reason}",
        f"Start the receiver at {target}, or set OTEL_EXPORTER_OTLP_ENDPOINT to its address. If it rejects the "
        "request, check OTEL_EXPORTER_OTLP_HEADERS",
    )


def _answers(exporter: Any, signal: Signal) -> bool:
    """Whether an empty request succeeds, sent with the exporter's own TLS, headers and compression."""
    from opentelemetry.sdk.metrics.export import MetricsData

    empty: Any = MetricsData(resource_metrics=[]) if signal == "metrics" else []
    try:
        return getattr(exporter.export(empty), "name", "") == "SUCCESS"
    finally:
        exporter.shutdown()


@contextmanager
def _short_timeout() -> Generator[None, None, None]:
    """Give exporters that are created inside a short timeout, by their variable."""
    before = os.environ.get(_TIMEOUT)
    os.environ[_TIMEOUT] = str(_SECONDS)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_TIMEOUT, None)
        else:
            os.environ[_TIMEOUT] = before


@contextmanager
def _errors() -> Generator[dict[int, str], None, None]:
    """Collect what exporters log, by thread, instead of printing it."""
    messages: dict[int, str] = {}

    class _Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # The first record has the reason; later ones only report retries.
            # A URL may contain credentials. The finding has its host anyway.
            line = _PRIVATE.sub("…", record.getMessage().partition("\n")[0])
            messages.setdefault(threading.get_ident(), line[:250])

    logger, handler = logging.getLogger("opentelemetry"), _Collect()
    propagates = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


def _prometheus(destinations: Destinations, *, connect: bool) -> Iterable[Finding]:
    if destinations.prometheus is None:
        return
    port, host = destinations.prometheus
    check, where = "exporter.prometheus", f"{host}:{port}"
    if not connect or port == 0:
        yield ok(check, f"metrics are served on {where}")
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            taken = exc
        else:
            yield ok(check, f"metrics will be served on {where}, and the port is free")
            return
    if _serves_claudescope(host, port):
        yield ok(check, f"metrics are served on {where} by a running app")
    else:
        yield error(
            check,
            f"metrics can't be served on {where}, so Prometheus gets none: {taken.strerror}",
            f"Stop the process that uses the port, or set {settings.METRICS_PORT.name} to another one (0: a free port)",
        )


def _serves_claudescope(host: str, port: int) -> bool:
    try:
        with urlopen(f"http://{host}:{port}/metrics", timeout=_SECONDS) as response:
            return _OWN_METRIC in response.read(10_000_000)
    except (URLError, OSError, ValueError):
        return False
