"""The command line, as a user runs it."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from unittest import mock

from claudescope.cli import main


def run_here(*arguments: str) -> CompletedProcess[str]:
    """Run `claudescope …` in this process: what it prints and its exit code, without waiting for an interpreter.

    For what a command refuses. What it does when it works is shown in a process of its own.
    """
    command: Sequence[str] = ("claudescope", *arguments)
    code: object = 0
    with (
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as errors,
        mock.patch.object(sys, "argv", list(command)),
        mock.patch.dict("os.environ", {"COLUMNS": "120"}),
    ):
        try:
            main()
        except SystemExit as exit_:
            code = exit_.code
    assert code is None or isinstance(code, int)
    return CompletedProcess(command, code or 0, output.getvalue(), errors.getvalue())
