"""No private text of a failed call leaves, however an app passes it on and whatever event it is in."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
import sentry_sdk

import claudescope
from claudescope.sentry import Options
from claudescope.sentry.quotes import MAX_TEXTS, Quotes, normalise
from tests.scripted import ScriptedAPI, error
from tests.sentry.conftest import Recorder, Start, personal_data
from tests.sentry.failures import ERROR_TYPES, AppError, fail
from tests.sentry.passing_on import FORMS, WAYS, Way, from_processor

# In two parts, so that Sentry's source context of this very file does not hold it.
SECRET = "-".join(["hunter2", "correct", "horse", "battery"])
_TEXT = f'limit was hit by:\n"it\'s" [{{"role": "user", "content": "Grüße an {SECRET}"}}] and \t more'


def _failure() -> Any:
    return fail(error(400, "invalid_request_error", _TEXT))


def _holds_no_secret(recorder: Recorder) -> None:
    for envelope in recorder.sent:
        found = normalise(envelope.decode()).find(normalise(SECRET)[:20])
        assert found < 0, envelope.decode()


@pytest.mark.filterwarnings("ignore:The send_default_pii option:DeprecationWarning")
@pytest.mark.parametrize("pii", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_no_form_of_a_text_leaves(start: Start, way: Way, pii: bool) -> None:
    """The API's message in every form, in every part of an event, with and without `send_default_pii`."""
    recorder = start(Options(burst=None), **personal_data(pii), attach_stacktrace=True)
    claudescope.instrument()
    for form in FORMS.values():
        with sentry_sdk.isolation_scope():
            caught = _failure()
            way(caught, form(caught), SECRET)
    assert len(recorder.events) >= len(FORMS)
    _holds_no_secret(recorder)


def test_the_request_by_option(start: Start) -> None:
    """`include_request` keeps what the app itself got."""
    recorder = start(Options(include_request=True))
    from_processor(fail(ERROR_TYPES["rate_limit_error"]), "", SECRET)
    event = recorder.event
    assert event["request"]["data"] == {"prompt": SECRET}
    assert event["extra"]["sys.argv"] == ["ask.py", SECRET]


def test_other_events_keep_theirs(start: Start) -> None:
    """An event without a failed call keeps its request, its variables and its texts."""
    recorder = start()
    claudescope.instrument()
    _failure()
    words = "reset after a limit"
    try:
        raise ZeroDivisionError("the user hit a limit")  # noqa: TRY301 - as apps do
    except ZeroDivisionError as bug:
        from_processor(bug, words, SECRET)
    event = recorder.event
    assert event["exception"]["values"][0]["value"] == "the user hit a limit"
    assert event["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"]["words"] == repr(words)
    assert (event["extra"]["error"], event["request"]["data"]) == (words, {"prompt": SECRET})


def test_each_exception_of_a_chain_has_its_own_text(start: Start) -> None:
    """A 429 below a 529, and the app's own error below both."""
    recorder = start()
    limited, overloaded = fail(ERROR_TYPES["rate_limit_error"]), fail(ERROR_TYPES["overloaded_error"])
    limited.__context__ = KeyError("the app's own")
    overloaded.__context__ = limited
    overloaded.__suppress_context__ = limited.__suppress_context__ = False
    sentry_sdk.capture_exception(overloaded)
    assert [value["value"] for value in recorder.event["exception"]["values"]] == [
        repr("the app's own"),
        "429 rate_limit_error",
        "529 overloaded_error",
    ]


def test_two_errors_of_one_class(start: Start) -> None:
    """Two errors of one class in a chain have the text of their own type each."""
    recorder = start()
    first = fail(error(500, "api_error", "the first of two"))
    second = fail(error(504, "timeout_error", "the second of two"))
    second.__cause__ = first
    sentry_sdk.capture_exception(second)
    values = [value["value"] for value in recorder.event["exception"]["values"]]
    assert [value.partition(" ")[0] for value in values] == ["500", "504"]


def test_the_name_of_a_model_stays(start: Start) -> None:
    """A message that quotes the model does not remove the model from the event."""
    recorder = start()
    name = "claude-opus-5-5-20261001"
    sentry_sdk.get_isolation_scope().set_tag("model", name)
    sentry_sdk.capture_exception(fail(error(404, "not_found_error", f"model: {name}")))
    assert recorder.event["tags"]["model"] == name


def test_the_memory_is_bounded() -> None:
    """Texts and the index of their blocks are forgotten together."""
    memory = Quotes()
    for number in range(MAX_TEXTS * 3):
        memory.remember(f"{number} " * 3000, "safe", in_part=True)
    assert len(memory._texts) <= MAX_TEXTS
    assert sum(map(len, memory._index.values())) <= sum(len(text.blocks) for text in memory._texts.values())
    for number in range(MAX_TEXTS):
        memory.remember(f"short {number:05}", "safe", in_part=False)
    assert memory._index == {}


def test_the_end_of_an_endless_text() -> None:
    """Of a text too long to be kept, its end is found too, and all that follows its beginning is removed."""
    memory = Quotes()
    memory.remember("a start " + "x" * 20_000 + f" {SECRET} at the end", "safe", in_part=True)
    assert memory.redact(f"…{SECRET} at the end", is_message=True) == "…safe"
    assert memory.redact("It was: A START " + "X" * 20_000 + "…", is_message=True) == "It was: safe"


def test_what_is_not_quoted_stays() -> None:
    """Only the quote is replaced, and words that a text has in common with another are no quote."""
    memory = Quotes()
    memory.remember("messages.0: the prompt about the blue sky is too long", "safe", in_part=True)
    assert memory.redact("before THE PROMPT\\nABOUT the “blue sky” after", is_message=True) == "before safe” after"
    assert memory.redact("the prompt is fine", is_message=True) == "the prompt is fine"


def test_without_instrumentation(start: Start) -> None:
    """The texts of failures that were reported are known without `instrument()` too."""
    recorder = start()
    with pytest.raises(anthropic.APIError) as caught:
        ScriptedAPI(error(400, "invalid_request_error", _TEXT)).client(max_retries=0).messages.create(
            model="claude-opus-5-5", max_tokens=1, messages=[{"role": "user", "content": SECRET}]
        )
    sentry_sdk.capture_exception(caught.value)
    sentry_sdk.capture_exception(AppError(caught.value.message))
    assert len(recorder.events) == 2
    _holds_no_secret(recorder)
