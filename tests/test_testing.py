"""What users' own tests use, used as they would."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from claudescope.lifecycle import active_probe, instrument
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, ScriptedAPI, message, stream

_USERS_TEST = """
import anthropic

pytest_plugins = ["claudescope.testing.fixtures"]


def ask():
    with anthropic.Anthropic() as client:
        return client.messages.create(
            model="claude-haiku-5-5", max_tokens=20, messages=[{"role": "user", "content": "Hello"}]
        )


def test_ask(claude_simulator, claude_calls):
    ask()
    claude_simulator.use("overloaded")
    assert [(call.outcome, call.status_code) for call in claude_calls] == [("ok", 200)]
    assert claude_simulator.ledger().responses == {"200": 1}
"""


def test_the_fixtures_in_a_users_project(tmp_path: Path) -> None:
    """A user's test that asks for the fixtures gets a simulator, the SDK's default client, and its calls."""
    (tmp_path / "test_users.py").write_text(_USERS_TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_users.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_captures_calls_of_other_threads() -> None:
    """Every call that ends inside the block is there, whichever thread made it."""
    client = ScriptedAPI(message(), message()).client()
    with capture_calls() as calls:
        thread = threading.Thread(target=lambda: client.messages.create(**REQUEST))
        thread.start()
        thread.join()
        client.messages.create(**REQUEST)
    assert [call.outcome for call in calls] == ["ok", "ok"]


def test_waits_for_dropped_streams() -> None:
    """A stream that was dropped inside the block is among the calls when the block is left."""
    client = ScriptedAPI(stream()).client()
    with capture_calls() as calls:
        for _ in client.messages.create(**REQUEST, stream=True):
            break
    assert [call.outcome for call in calls] == ["abandoned"]


def test_leaves_it_as_it_was() -> None:
    """Where claudescope was off it is off again; where it was on it stays on, and the capture sees no more."""
    with capture_calls():
        pass
    assert active_probe() is None
    instrument()
    client = ScriptedAPI(message()).client()
    with capture_calls() as calls:
        pass
    client.messages.create(**REQUEST)
    assert (calls, active_probe() is None) == ([], False)
