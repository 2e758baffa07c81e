"""A child that is forked while every lock of claudescope's is held makes calls, sends events and reports."""

from __future__ import annotations

import sys

import pytest

from claudescope.simulator import Simulator
from tests.ways_in.conftest import APPS, Commands

pytestmark = pytest.mark.timeout(300)

_SETUP = """
import faulthandler, os, signal, sys, threading, warnings
faulthandler.dump_traceback_later(100, exit=True)
warnings.simplefilter("ignore")
import anthropic, claudescope, script, sentry_sdk
from claudescope._internal import fork
from claudescope.sentry import ClaudeErrorsIntegration
events = []
sentry_sdk.init(
    "http://key@127.0.0.1:1/1",
    integrations=[ClaudeErrorsIntegration()],
    before_send=lambda event, _: events.append(event),
)
claudescope.configure(prometheus_port=0, console=False)
claudescope.instrument()

def use(calls):
    signal.alarm(60)  # a child that hangs is killed, and its status is not 0
    events.clear()
    before = claudescope.report().calls
    script.ask(calls)
    try:
        anthropic.Anthropic(max_retries=0).messages.create(model="no-such-model", max_tokens=1, messages=[])
    except anthropic.APIError as error:
        sentry_sdk.capture_exception(error)
    assert claudescope.report().calls - before == calls + 1, claudescope.report().calls
    assert len(events) == 1, events
    signal.alarm(0)

use(1)
"""

_HELD = """
locks = [(owner, name) for owner, name in fork._locks.items()]
assert len(locks) > 10, locks
holding, go = threading.Event(), threading.Event()
def hold():
    for owner, name in locks:
        getattr(owner, name).acquire()
    holding.set()
    go.wait()
threading.Thread(target=hold, daemon=True).start()
assert holding.wait(60)
child = os.fork()
if not child:
    try:
        use(2)
        code = 0
    except BaseException:
        import traceback
        traceback.print_exc()
        code = 1
    os._exit(code)
print(os.waitpid(child, 0)[1], flush=True)
os._exit(0)
"""

_BUSY = """
sys.setswitchinterval(1e-6)
ended = threading.Event()
def work():
    while not ended.is_set():
        script.ask(1)
        claudescope.report()
workers = [threading.Thread(target=work, daemon=True) for _ in range(2)]
for worker in workers:
    worker.start()
statuses = []
for _ in range(6):
    child = os.fork()
    if not child:
        sys.setswitchinterval(0.005)
        try:
            use(1)
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 1
        os._exit(code)
    statuses.append(os.waitpid(child, 0)[1])
ended.set()
print(set(statuses), flush=True)
os._exit(0)
"""


def test_a_fork_while_every_lock_is_held(commands: Commands, api: Simulator) -> None:
    """A thread of the parent holds all locks that are registered; none of them is held in the child."""
    result = commands.with_variables(PYTHONPATH=str(APPS)).run(sys.executable, "-c", _SETUP + _HELD)
    assert result.stdout == "0\n", result.stderr
    assert api.ledger().messages_billed == 3


@pytest.mark.release
def test_forks_of_a_busy_process(commands: Commands) -> None:
    """Children of a process whose threads switch at every step, forked at any moment, all end."""
    # Without coverage, whose own lock may be held as such a process forks.
    alone = commands.with_variables(PYTHONPATH=str(APPS), COVERAGE_PROCESS_CONFIG="")
    result = alone.run(sys.executable, "-c", _SETUP + _BUSY)
    assert result.stdout == "{0}\n", result.stderr
