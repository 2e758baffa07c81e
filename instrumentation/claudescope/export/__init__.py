"""Sets up OpenTelemetry and exports telemetry, for apps that don't do so themselves.

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
    """Whether `configure` was called and its handle has not been shut down."""
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
    """Export claudescope's telemetry, and instrument the SDK.

    Telemetry goes over OTLP if an endpoint is set, here or by the standard variables, and to Prometheus if a port is
    set. Otherwise it is printed to standard error. `docs/environment.md` lists every variable.

    Providers that the app has set are never replaced:

    - Metrics go to claudescope's own meter provider, which does not become the global one. It uses exponential
      histograms over OTLP, and the catalogue's buckets for Prometheus.
    - Spans and log records go to the global providers. If the app has set none, `configure` sets them.
    - If the app has set a provider, claudescope uses it, and the app's exporters send the telemetry. Exporters that an
      argument asks for are added. Exporters that only the environment asks for are not added, as the app reads the
      same environment.

    A forked child exports by itself, with another `service.instance.id` and without its parent's counts. At exit, and
    at a SIGTERM that the app does not handle, pending telemetry is delivered within `exit_timeout`.

    A second call does nothing. To change an option, call the handle's `shutdown` first.

    Args:
        service_name: The service name. Overrides `OTEL_SERVICE_NAME`.
        endpoint: Base URL of an OTLP receiver, such as `http://127.0.0.1:4318`.
        protocol: `grpc` or `http/protobuf`. By default the value of `OTEL_EXPORTER_OTLP_PROTOCOL`; without it gRPC for
            an endpoint on port 4317 and HTTP for any other.
        prometheus_port: Serve `/metrics` on this port; 0 for a free one. For apps with one process;
            `claudescope run --metrics-port` serves the sum of several.
        prometheus_host: The address of `/metrics`; `127.0.0.1` by default.
        console: Print telemetry to standard error. By default only where there is no other destination.
        logs: Whether log records are exported too; True by default.
        instrument: Also call `instrument()`.
        exit_timeout: The longest time in seconds that an exit waits for delivery; 5 by default.

    Returns:
        A handle with `flush`, `shutdown` and the URL of the Prometheus endpoint.

    Raises:
        BadInputError: An argument or a variable is invalid, or the port is not available. Nothing has been set up.
        MissingExtraError: A package is missing; the message says what to install.
    """
    from claudescope import settings  # imported here for the reason given in `prepare`

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
    """Create the handle of `configure` without starting it. Arguments and errors are those of `configure`."""
    # Imported here, so that an app that only instruments imports neither these nor OpenTelemetry's exporters.
    from claudescope import settings
    from claudescope.export.destinations import choose_destinations
    from claudescope.export.resource import detect
    from claudescope.export.telemetry import Telemetry

    if exit_timeout is not None and not 0 <= exit_timeout <= 60:
        raise BadInputError(f"exit_timeout={exit_timeout:g}: expected {settings.EXIT_TIMEOUT.expected}")
    destinations = choose_destinations(
        endpoint=endpoint,
        protocol=protocol,
        prometheus_port=prometheus_port,
        prometheus_host=prometheus_host or settings.METRICS_HOST.read() or "127.0.0.1",
        console=console,
        logs=bool(settings.LOGS.read() if logs is None else logs),
    )
    timeout = settings.EXIT_TIMEOUT.read() if exit_timeout is None else exit_timeout
    return Telemetry(
        destinations,
        endpoint,
        detect(service_name),
        max_workflows=settings.MAX_WORKFLOWS.read() or 100,
        exit_timeout=5.0 if timeout is None else timeout,
    )
