"""Starts the collector, and executes the command."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from claudescope._internal.exceptions import BadInputError
from claudescope.reporting.model import Report
from claudescope.run.collector import Collector, leave_session

if TYPE_CHECKING:
    from claudescope.export.prometheus import MetricsEndpoint

__all__ = ["find_program", "launch"]

_BOOTSTRAP: Final = Path(__file__).parent / "bootstrap"


def find_program(command: Sequence[str]) -> str:
    """Find the program of a command.

    Raises:
        BadInputError: No command is given, or its program is missing or not executable.
    """
    if not command:
        raise BadInputError(
            "claudescope run: no command given. Add it after --, such as: claudescope run -- python app.py"
        )
    program = shutil.which(command[0])
    if program is None:
        there = Path(command[0]).exists()
        reason = "is not executable" if there else "was not found"
        hint = f"Did you mean: claudescope run -- python {command[0]}" if there else "Check its name and PATH"
        raise BadInputError(f"claudescope run: {command[0]} {reason}. {hint}")
    return program


def launch(command: Sequence[str], endpoint: MetricsEndpoint | None, report: Callable[[Report], None]) -> NoReturn:
    """Replace this process with the instrumented command, and report once it has ended.

    Args:
        command: The program and its arguments.
        endpoint: The endpoint that serves the sum of all processes to Prometheus; None for no endpoint.
        report: Called with the report, in the process of the collector.

    Raises:
        BadInputError: The program of the command is missing or not executable.
    """
    program = find_program(command)
    folder = Path(tempfile.mkdtemp(prefix="claudescope-"))
    address = folder / "calls"
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(address))
    except OSError as error:
        folder.rmdir()
        raise BadInputError(
            f"claudescope run: can't create a socket in {folder}: {error.strerror or error}. "
            "Set TMPDIR to a folder with a short path"
        ) from None
    listener.listen(512)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.getpid()
    child = os.fork()
    if child == 0:
        _collect(listener, pid, folder, endpoint, report)
    os.waitpid(child, 0)
    os.execve(program, list(command), _environment(os.environ, address, pid))  # noqa: S606 - the user's own command


def _environment(environment: Mapping[str, str], address: Path, pid: int) -> dict[str, str]:
    paths = [str(_BOOTSTRAP), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths), "_CLAUDESCOPE_RUN": f"{pid}:{address}"}


def _collect(
    listener: socket.socket,
    pid: int,
    folder: Path,
    endpoint: MetricsEndpoint | None,
    report: Callable[[Report], None],
) -> NoReturn:
    """Run the collector. It is not a child of the command, as the command may wait for all of its children."""
    code = 1
    try:
        # Two forks: the first child exits once the collector is ready, and the process of the command waits for it.
        ready, signal_ready = os.pipe()
        if os.fork():
            os.close(signal_ready)
            os.read(ready, 1)
            os._exit(0)
        leave_session()
        os.close(ready)
        with Path(os.devnull).open("r+b") as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)
        metrics = None
        if endpoint is not None:
            from claudescope.export.resource import detect
            from claudescope.sinks.metrics import MetricsSink

            metrics = MetricsSink.for_provider(endpoint.provider(detect(None)))
            endpoint.start()
        collector = Collector(listener, pid, metrics, report)
        os.close(signal_ready)
        collector.run()
        code = 0
    finally:
        with contextlib.suppress(Exception):
            shutil.rmtree(folder)
            sys.stderr.flush()
        os._exit(code)
