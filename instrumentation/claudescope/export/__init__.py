"""Sets OpenTelemetry up for apps that have not, so that the calls are seen somewhere.

import claudescope
claudescope.configure()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claudescope._internal.exceptions import BadInputError

if TYPE_CHECKING:
    from claudescope.export.telemetry import Telemetry

__all__ = ["configure", "is_configured", "prepare"]


class _State:
    telemetry: Telemetry | None = None


def is_configured() -> bool:
    """Whether `configure` has set something up that has not been shut down."""
    return _State.telemetry is not None and not _State.telemetry.ended


def configure(
    *,
    service_name: str | None = None,
    endpoint: str | None = None,
    protocol: str | None = None,
    prometheus_port: int | None = None,
    prometheus_host: str | None = None,
    console: bool | None = None,
    logs: bool | None = None,
    instrument: bool = True,
    exit_timeout: float | None = None,
) -> Telemetry:
    """Export what claudescope sees, and switch claudescope on.

    Over OTLP where an endpoint is given, here or by the standard variables; to Prometheus where a port is given; else
    to standard error. `docs/environment.md` lists every variable; OpenTelemetry's own ones are read by OpenTelemetry.

    Nothing that the app has set is replaced:

    - Metrics go to a meter provider of claudescope's own, which is never made the global one. It has exponential
      histograms over OTLP, and the catalogue's buckets for Prometheus.
    - Spans and log records go to the global providers. Where the app has set none, new ones are set.
    - Where the app has set a provider, it gets what claudescope has to say, and its exporters send it. What is asked
      for by an argument is added to it; what only the environment asks for is taken as done by the app, which reads
      the same environment.

    A forked child exports on its own: as another `service.instance.id`, and without what its parent had counted. When a
    process ends, or gets a SIGTERM that the app leaves to the system, what is left is delivered within `exit_timeout`.

    Does nothing where it has been called before: to change an option, call the handle's `shutdown` first.

    Args:
        service_name: Goes before `OTEL_SERVICE_NAME`.
        endpoint: Base URL of an OTLP receiver, such as `http://127.0.0.1:4318`.
        protocol: `grpc` or `http/protobuf`. By default as `OTEL_EXPORTER_OTLP_PROTOCOL` says, else gRPC for an endpoint
            on port 4317 and HTTP for any other.
        prometheus_port: Serve `/metrics` on this port; 0 for the system's choice. For apps of one process:
            `claudescope run --metrics-port` serves the sum of many.
        prometheus_host: The address to serve it on, `127.0.0.1` by default.
        console: Print to standard error. By default only where there is no other place.
        logs: Whether log records are exported too; True by default.
        instrument: Also call `instrument()`.
        exit_timeout: Seconds that the end of the process waits at most for delivery, 5 by default.

    Returns:
        A handle with `flush`, `shutdown` and the URL of the Prometheus endpoint.

    Raises:
        BadInputError: A value or a variable can't be used, or the port can't be had. Nothing has been set up then.
        MissingExtraError: A package is missing; the message says what to install.
    """
    from claudescope import settings  # late, as in `prepare`

    if _State.telemetry is not None and not _State.telemetry.ended:
        return _State.telemetry
    telemetry = prepare(
        service_name=service_name,
        endpoint=endpoint,
        protocol=protocol,
        prometheus_port=settings.METRICS_PORT.read() if prometheus_port is None else prometheus_port,
        prometheus_host=prometheus_host,
        console=settings.CONSOLE.read() if console is None else console,
        logs=logs,
        exit_timeout=exit_timeout,
    )
    if instrument:
        from claudescope.export.from_environment import instrument_from_environment

        try:
            instrument_from_environment(logs=logs)
        except BaseException:
            telemetry.shutdown(0)  # frees the port
            raise
    telemetry.start()
    _State.telemetry = telemetry
    return telemetry


def prepare(
    *,
    service_name: str | None = None,
    endpoint: str | None = None,
    protocol: str | None = None,
    prometheus_port: int | None = None,
    prometheus_host: str | None = None,
    console: bool | None = None,
    logs: bool | None = None,
    exit_timeout: float | None = None,
) -> Telemetry:
    """Make everything that `configure` sets up, and set nothing up yet. Arguments and errors are `configure`'s."""
    # None of these, nor OpenTelemetry's exporters, is imported by an app that only instruments.
    from claudescope import settings
    from claudescope.export.destinations import plan
    from claudescope.export.resource import detect
    from claudescope.export.telemetry import Telemetry

    if exit_timeout is not None and not 0 <= exit_timeout <= 60:
        raise BadInputError(f"exit_timeout={exit_timeout:g}: expected {settings.EXIT_TIMEOUT.expected}")
    chosen = plan(
        endpoint=endpoint,
        protocol=protocol,
        prometheus_port=prometheus_port,
        prometheus_host=prometheus_host or settings.METRICS_HOST.read() or "127.0.0.1",
        console=console,
        logs=bool(settings.LOGS.read() if logs is None else logs),
    )
    timeout = settings.EXIT_TIMEOUT.read() if exit_timeout is None else exit_timeout
    return Telemetry(
        chosen,
        endpoint,
        detect(service_name),
        max_workflows=settings.MAX_WORKFLOWS.read() or 100,
        exit_timeout=5.0 if timeout is None else timeout,
    )
