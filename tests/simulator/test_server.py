"""Starting, stopping, controlling and importing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest
from anthropic import Anthropic
from typer.testing import CliRunner

import claudescope.simulator
from claudescope._internal.exceptions import BadInputError, MissingExtraError
from claudescope.cli import app
from claudescope.simulator import InjectedError, Ledger, Simulator

from .asks import ASK, MODEL, steady_with


def test_it_stops_without_leaving_a_thread() -> None:
    """Even with a request under way; the ledger can still be read."""
    before = threading.active_count()
    simulator = Simulator(steady_with(InjectedError(type="hang")))
    with pytest.raises(RuntimeError, match="has no URL"):
        _ = simulator.url
    with simulator, httpx2.Client(base_url=simulator.url, timeout=20) as client:
        headers = {"x-api-key": "sim", "anthropic-version": "1"}
        errors: list[Exception] = []

        def ask() -> None:
            try:
                client.post("/v1/messages", json=ASK, headers=headers)
            except httpx2.HTTPError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not simulator.ledger().responses:
            pass
        simulator.stop()
        thread.join()
    simulator.stop()
    assert len(errors) == 1
    assert threading.active_count() == before
    assert simulator.ledger().responses == {"none": 1}


def test_it_can_start_again() -> None:
    """On the same port, with the same ledger."""
    simulator = Simulator(time_scale=0.001)
    for _ in range(2):
        with simulator, Anthropic(base_url=simulator.url, api_key="sim") as client:
            client.messages.create(**ASK)
    assert simulator.ledger().responses == {"200": 2}


def test_a_failed_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves no thread."""
    before = threading.active_count()

    async def fail(_: object, sockets: object = None) -> None:
        raise OSError(f"no room for {sockets and 'one more'}")

    monkeypatch.setattr("uvicorn.Server.startup", fail)
    with pytest.raises(OSError, match="no room for one more"):
        Simulator().start()
    assert threading.active_count() == before


@pytest.mark.parametrize("host", ["localhost", "::1", "127.0.0.1"])
def test_loopback_addresses(host: str) -> None:
    """All of them work."""
    with Simulator(host=host) as simulator:
        assert httpx2.get(f"{simulator.url}/_simulator/ledger").status_code == 200


def test_a_busy_port_is_named() -> None:
    """With how to mend it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInputError, match=f"can't listen on port {port} of 127.0.0.1: .*or 0 for a free one"):
            Simulator(port=port).start()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time_scale": 0}, "invalid time scale 0"),
        ({"time_scale": float("nan")}, "invalid time scale nan"),
        ({"port": -1}, "invalid port -1"),
        ({"port": 70000}, "invalid port 70000"),
        ({"host": "0.0.0.0"}, "invalid host '0.0.0.0': the simulator serves this machine only"),  # noqa: S104
        ({"host": "example.com"}, "invalid host 'example.com'"),
        ({"scenario": "stedy"}, "there is no scenario 'stedy'"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    """Each names the value and what was expected."""
    with pytest.raises(BadInputError, match=message):
        Simulator(**arguments)  # type: ignore[arg-type]


def test_it_is_controlled_over_http(simulator: Simulator, client: Anthropic) -> None:
    """Ledger, reset and scenario, none of them counted, none needing a key."""
    client.messages.create(**ASK)
    control = httpx2.Client(base_url=f"{simulator.url}/_simulator")
    with control:
        assert control.get("/ledger").json() == simulator.ledger().to_dict()
        assert control.get("/ledger").json()["models"] == {MODEL: {"200": 1}}
        assert control.get("/scenario").json()["name"] == "steady"
        assert control.put("/scenario", json={"name": "overloaded"}).json()["name"] == "overloaded"
        assert simulator.scenario.name == "overloaded"
        wrong = control.put("/scenario", json={"name": "overload"})
        assert (wrong.status_code, "Did you mean 'overloaded'?" in wrong.json()["error"]) == (400, True)
        assert [control.put("/scenario", content=raw).status_code for raw in ("x", "[]", "{}")] == [400, 400, 400]
        assert control.post("/reset").status_code == 204
    assert simulator.ledger() == Ledger()
    assert simulator.scenario.name == "overloaded"


def test_it_counts_a_client_that_leaves_while_sending(simulator: Simulator) -> None:
    """An upload that breaks off has no response."""
    host, _, port = simulator.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    while not simulator.ledger().responses:
        pass
    assert simulator.ledger().responses == {"none": 1}


def test_the_root_exports_and_nothing_else() -> None:
    """The names of `__all__` are there, sorted; others are not."""
    assert sorted(claudescope.simulator.__all__) == claudescope.simulator.__all__
    for name in claudescope.simulator.__all__:
        assert getattr(claudescope.simulator, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = claudescope.simulator.nothing


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the package works; using it names the command."""
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'claudescope\[simulator\]'"):
        _ = claudescope.simulator.Simulator


def test_the_command_lists_the_scenarios() -> None:
    """With their descriptions."""
    result = CliRunner().invoke(app, ["simulate", "--list"])
    assert (result.exit_code, len(result.output.splitlines())) == (0, 10)
    assert "steady" in result.output


def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """It prints the URL at once and what was served at the end."""
    command = [sys.executable, "-m", "claudescope", "simulate", "--time-scale", "0.001"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment) as process:  # noqa: S603
        assert process.stdout is not None
        head = [process.stdout.readline() for _ in range(5)]
        assert head[0].startswith("Scenario steady:")
        url = head[3].partition("ANTHROPIC_BASE_URL=")[2].split()[0]
        with Anthropic(base_url=url, api_key="sim") as client:
            client.messages.create(**ASK)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
    assert process.returncode == 0
    assert ["responses", "200", "1"] in [line.split() for line in output.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "stedy"], "Did you mean 'steady'?"),
        (["--time-scale", "-1"], "invalid time scale -1"),
        (["--host", "0.0.0.0"], "Expected 127.0.0.1, ::1 or localhost"),  # noqa: S104
        (["--port", "99999"], "Expected 1 to 65535"),
    ],
)
def test_the_command_refuses_bad_input(arguments: list[str], message: str) -> None:
    """One clear message; `main` turns it into exit code 2."""
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert isinstance(result.exception, BadInputError)
    assert message in str(result.exception)
