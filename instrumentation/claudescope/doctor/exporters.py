"""Where telemetry goes, and whether somebody answers there."""

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
from claudescope.doctor.finding import Finding, note, ok, wrong
from claudescope.export.destinations import Destinations, choose_destinations
from claudescope.export.exporters import Signal, otlp_exporter, protocol_of

__all__ = ["check_exporters"]

_TIMEOUT: Final = "OTEL_EXPORTER_OTLP_TIMEOUT"
_SECONDS: Final = 3
_DEFAULTS: Final = {"grpc": "localhost:4317", "http/protobuf": "localhost:4318"}
_PRIVATE: Final = re.compile(r"https?://\S+|url: \S+|\S+@|:address lookup failed for \S+")
_OWN_METRIC: Final = b"gen_ai_client_"


def check_exporters(*, connect: bool) -> list[Finding]:
    """Look where each signal goes; `connect` to see whether somebody answers."""
    try:
        chosen = choose_destinations(
            endpoint=None,
            protocol=None,
            prometheus_port=settings.METRICS_PORT.read(),
            prometheus_host=settings.METRICS_HOST.read() or "127.0.0.1",
            console=False,
            logs=bool(settings.LOGS.read()),
        )
    except BadInputError as error:
        return [wrong("exporter", str(error), "Set the variable to what is expected, or unset it")]
    if chosen.is_empty:
        return [
            note(
                "exporter",
                "the environment names no exporter: telemetry goes where the app's own code sends it, or nowhere",
                "Set OTEL_EXPORTER_OTLP_ENDPOINT, such as http://127.0.0.1:4318, or run claudescope run --metrics-port",
            )
        ]
    found = list(_prometheus(chosen, connect=connect))
    with ThreadPoolExecutor(max_workers=3) as pool, _errors() as errors:
        looks = [
            pool.submit(_otlp, signal, protocol, errors, connect=connect) for signal, protocol in chosen.otlp.items()
        ]
        found += [look.result() for look in looks]
    return found


def _target(signal: Signal, protocol: str) -> str:
    """Where a signal goes, without what a URL may hold of credentials."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "").strip()
    endpoint = own or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or _DEFAULTS[protocol]
    parts = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _otlp(signal: Signal, asked: str | None, errors: dict[int, str], *, connect: bool) -> Finding:
    check = f"exporter.{signal}"
    try:
        protocol = protocol_of(signal, None, asked)
        with _short_timeout():
            exporter: Any = otlp_exporter(signal, None, asked).get()
    except BadInputError as error:
        return wrong(check, str(error), "Set the variable to what is expected, or unset it")
    except MissingExtraError as error:
        return wrong(check, str(error), "pip install 'claudescope[otlp]'")
    target = _target(signal, protocol)
    if not connect:
        return ok(check, f"{signal} go to {target} over {protocol}")
    if _answers(exporter, signal):
        return ok(check, f"{signal} go to {target} over {protocol}, and it answers")
    said = errors.get(threading.get_ident(), "no answer")
    other = {"4317": ("http/protobuf", "grpc"), "4318": ("grpc", "http/protobuf")}.get(target.rpartition(":")[2])
    if other is not None and other[0] == protocol:
        return wrong(
            check,
            f"{signal} go to {target} over {protocol}, whose usual port is the other one: {said}",
            f"Set OTEL_EXPORTER_OTLP_PROTOCOL={other[1]}, or name the port for {protocol}",
        )
    return wrong(
        check,
        f"{signal} go to {target} over {protocol}, and it does not take them: {said}",
        f"Start the receiver at {target}, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it listens; for a refusal see "
        "OTEL_EXPORTER_OTLP_HEADERS",
    )


def _answers(exporter: Any, signal: Signal) -> bool:
    """Whether a request with nothing in it is taken, sent as the exporter sends all: its TLS, headers, compression."""
    from opentelemetry.sdk.metrics.export import MetricsData

    empty: Any = MetricsData(resource_metrics=[]) if signal == "metrics" else []
    try:
        return getattr(exporter.export(empty), "name", "") == "SUCCESS"
    finally:
        exporter.shutdown()


@contextmanager
def _short_timeout() -> Generator[None, None, None]:
    """Has exporters that are made inside give up soon. The variable is theirs alone to read."""
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
    """Keeps what exporters log, by thread, in place of printing it."""
    said: dict[int, str] = {}

    class _Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # The first says why, those that follow that it was tried again.
            # A URL may hold credentials, and its host is told anyway.
            line = _PRIVATE.sub("…", record.getMessage().partition("\n")[0])
            said.setdefault(threading.get_ident(), line[:250])

    logger, keep = logging.getLogger("opentelemetry"), _Keep()
    propagates = logger.propagate
    logger.addHandler(keep)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(keep)
        logger.propagate = propagates


def _prometheus(chosen: Destinations, *, connect: bool) -> Iterable[Finding]:
    if chosen.prometheus is None:
        return
    port, host = chosen.prometheus
    check, where = "exporter.prometheus", f"{host}:{port}"
    if not connect or port == 0:
        yield ok(check, f"metrics are served on {where}")
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error
        else:
            yield ok(check, f"metrics are to be served on {where}, which is free")
            return
    if _serves_ours(host, port):
        yield ok(check, f"metrics are served on {where} by an app that runs")
    else:
        yield wrong(
            check,
            f"metrics are to be served on {where}, which can't be had: {taken.strerror}",
            f"End what listens there, or choose another port by {settings.METRICS_PORT.name}; 0 is the system's choice",
        )


def _serves_ours(host: str, port: int) -> bool:
    try:
        with urlopen(f"http://{host}:{port}/metrics", timeout=_SECONDS) as response:
            return _OWN_METRIC in response.read(10_000_000)
    except (URLError, OSError, ValueError):
        return False
