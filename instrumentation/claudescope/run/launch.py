"""Starts the watcher, and becomes the command."""

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
from claudescope.run.collector import Watcher, stand_aside

if TYPE_CHECKING:
    from claudescope.export.prometheus import MetricsEndpoint

__all__ = ["find_program", "launch"]

_BOOTSTRAP: Final = Path(__file__).parent / "bootstrap"


def find_program(command: Sequence[str]) -> str:
    """The file that a command runs.

    Raises:
        BadInputError: There is no command, or it can't be run.
    """
    if not command:
        raise BadInputError("claudescope run: no command. Give it after --, as in: claudescope run -- python app.py")
    program = shutil.which(command[0])
    if program is None:
        there = Path(command[0]).exists()
        reason = "is not executable" if there else "was not found"
        hint = f"Did you mean: claudescope run -- python {command[0]}" if there else "Check its name and the PATH"
        raise BadInputError(f"claudescope run: {command[0]} {reason}. {hint}")
    return program


def launch(command: Sequence[str], endpoint: MetricsEndpoint | None, report: Callable[[Report], None]) -> NoReturn:
    """Run a command in this process' place, instrumented, and report once it has ended.

    Args:
        command: The program and its arguments.
        endpoint: Serves the sum of all processes to Prometheus while the command runs; None for no endpoint.
        report: Gets the report, in the watcher's process.

    Raises:
        BadInputError: The command can't be run.
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
            f"claudescope run: no socket can be made in {folder}: {error.strerror or error}. "
            "Set TMPDIR to a folder with a short path"
        ) from None
    listener.listen(512)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.getpid()
    child = os.fork()
    if child == 0:
        _watch(listener, pid, folder, endpoint, report)
    os.waitpid(child, 0)
    os.execve(program, list(command), _environment(os.environ, address, pid))  # noqa: S606 - the user's own command


def _environment(environment: Mapping[str, str], address: Path, pid: int) -> dict[str, str]:
    paths = [str(_BOOTSTRAP), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths), "_CLAUDESCOPE_RUN": f"{pid}:{address}"}


def _watch(
    listener: socket.socket,
    pid: int,
    folder: Path,
    endpoint: MetricsEndpoint | None,
    report: Callable[[Report], None],
) -> NoReturn:
    """Be the watcher: no child of the command, which may wait for any child of its own."""
    code = 1
    try:
        # The wait of the command's process ends with the outer of two processes, before it becomes the command.
        ready, signal_ready = os.pipe()
        if os.fork():
            os.close(signal_ready)
            os.read(ready, 1)
            os._exit(0)
        stand_aside()
        os.close(ready)
        with Path(os.devnull).open("r+b") as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(nothing.fileno(), 1)
        metrics = None
        if endpoint is not None:
            from opentelemetry.sdk.metrics import MeterProvider

            from claudescope.export.resource import detect
            from claudescope.sinks.metrics import MetricsSink

            provider = MeterProvider([endpoint.reader], detect(None), shutdown_on_exit=False)
            metrics = MetricsSink.for_provider(provider)
            endpoint.start()
        watcher = Watcher(listener, pid, metrics, report)
        os.close(signal_ready)
        watcher.watch()
        code = 0
    finally:
        with contextlib.suppress(Exception):
            shutil.rmtree(folder)
            sys.stderr.flush()
        os._exit(code)
