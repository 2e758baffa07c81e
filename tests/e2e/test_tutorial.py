"""The tutorial, followed to the letter in an empty folder: every file is written, every command run, in order.

But for what a test must not do: packages are not installed again, and the ports are the system's choice.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.alerts.conftest import program
from tests.docs.pages import TUTORIAL, fences, with_free_ports
from tests.servers import with_its_share

_INSTALLS = ("sudo apt-get ", "python3 -m venv ", ". .venv/", "pip install ")
_SUITE = "bookworm"


def _steps() -> list[str]:
    """The tutorial as one script."""
    lines = ["set -em"]  # with jobs, as in a terminal
    for block in fences(TUTORIAL):
        if block.file is not None:
            lines.append(f"cat >{shlex.quote(block.file)} <<'END'\n{block.text}END")
            continue
        assert block.language == "console"
        lines += [command for command in block.commands if not command.startswith(_INSTALLS)]
    return lines


@pytest.mark.timeout(240)
def test_from_nothing_to_a_page(tmp_path: Path) -> None:
    """It ends with a page, the report and the dashboards."""
    tools, folder = tmp_path / "bin", tmp_path / "empty"
    tools.mkdir()
    folder.mkdir()
    alertmanager = shlex.join(map(str, with_its_share(program(_SUITE, "prometheus-alertmanager"), [])))
    (tools / "prometheus-alertmanager").write_text(f'#!/bin/sh\nexec {alertmanager} "$@"\n')
    (tools / "prometheus-alertmanager").chmod(0o755)
    for name in ("prometheus", "promtool", "amtool"):
        (tools / name).symlink_to(program(_SUITE, name))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "CLAUDESCOPE_"))}
    with (
        (tmp_path / "output").open("w") as shown,
        subprocess.Popen(  # noqa: S603 - the tutorial
            ["bash", "--noprofile", "--norc", "-c", with_free_ports("\n".join(_steps()), r"\b1\d{4}\b")],  # noqa: S607
            cwd=folder,
            env={
                **kept,
                "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
                "COLUMNS": "120",
            },
            stdin=subprocess.DEVNULL,
            stdout=shown,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as terminal,
    ):
        try:
            code = terminal.wait(180)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            # What the reader leaves running when they close the terminal.
            subprocess.run(["pkill", "-s", str(terminal.pid)], check=False)  # noqa: S603, S607 - ours
            if terminal.poll() is None:
                terminal.send_signal(signal.SIGKILL)
    output = (tmp_path / "output").read_text(encoding="utf-8")
    assert code == 0, output
    assert re.search(r"claude_client_cost_usd_total\{.*\} \d", output)
    assert "ClaudeSpendLimitReached" in output
    assert re.search(r"spend_limit_error", output.partition("ClaudeSpendLimitReached")[2]), "no report"
    assert (folder / "observability" / "dashboards" / "import" / "overview.json").exists()
