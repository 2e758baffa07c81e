"""What is generated for Sentry's side: rules that group as the app side does, and alerts that a storm can reach."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import hcl2
import pytest
import sentry_sdk

from claudescope.schema.classify import CODES, MESSAGES, STATUSES, TYPES, classify
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sentry import Options
from claudescope.sentry.as_code import build
from claudescope.sentry.as_code.thresholds import ALERTS
from tests.scripted import Answer, error, http
from tests.sentry.conftest import Start
from tests.sentry.failures import REPORTS, fail

_GENERATED = Path(__file__).parents[2] / "alerts/claudescope_alerts/generated/sentry"

# Sentry's grammar of one rule: matchers, an arrow, and the parts of the fingerprint.
_MATCHER = r'(?:tags\.[\w.-]+|error\.type|error\.value|stack\.module):"(?:[^"\\]|\\.)*"'
_RULE = re.compile(rf'({_MATCHER}(?: {_MATCHER})*) -> ((?:[^\s{{,"]+|"[^"]+")(?:, (?:[^\s{{,"]+|"[^"]+"))*)')


class _Rules:
    """Applies fingerprint rules to an event as Sentry documents it: the first that matches, and no fingerprint else.

    Sentry's server can't run here. This refuses what its grammar has no words for.
    """

    def __init__(self, text: str) -> None:
        self.rules: list[tuple[list[tuple[str, str]], list[str]]] = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = _RULE.fullmatch(line)
                assert match is not None, line
                matchers = [matcher.partition(":") for matcher in re.findall(_MATCHER, match[1])]
                self.rules.append(
                    (
                        [(key, json.loads(value)) for key, _, value in matchers],
                        [part.strip('"') for part in match[2].split(", ")],
                    )
                )

    def fingerprint(self, event: dict[str, Any]) -> list[str] | None:
        return next((parts for matchers, parts in self.rules if self._match(matchers, event)), None)

    @staticmethod
    def _match(matchers: list[tuple[str, str]], event: dict[str, Any]) -> bool:
        values = event.get("exception", {}).get("values", [])
        frames = [frame for value in values for frame in value.get("stacktrace", {}).get("frames", [])]
        of_exceptions = [(key, pattern) for key, pattern in matchers if key.startswith("error.")]
        if of_exceptions and not any(
            all(_glob(str(value[key[6:]]), pattern, ignore_case=key == "error.value") for key, pattern in of_exceptions)
            for value in values
        ):
            return False
        for key, pattern in matchers:
            if key.startswith("tags.") and not _glob(str(event.get("tags", {}).get(key[5:], "")), pattern):
                return False
            if key == "stack.module" and not any(_glob(str(frame.get("module")), pattern) for frame in frames):
                return False
        return True


def _glob(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    return fnmatchcase(value.lower(), pattern.lower()) if ignore_case else fnmatchcase(value, pattern)


def _answers() -> Iterator[Answer]:
    """A failure for every word of the classification."""
    for code in CODES:
        yield error(400, "invalid_request_error", code=code)
    for word in TYPES:
        yield error(400, word)
    for status in (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 431, 499, 500, 503, 504, 529):
        yield Answer(status, b"<html>no</html>")  # statuses with a class of their own: only that tells, without a body
    for status in STATUSES:
        yield error(status, "something_new")
    for wording, _ in MESSAGES:
        yield error(400, "invalid_request_error", f"Sorry: {wording.capitalize()}.")
    yield error(413, "invalid_request_error")
    yield from (error(418, "something_new"), error(503, "something_new"))
    for failure in ("ConnectError", "ReadTimeout", "PoolTimeout"):
        yield Answer(fails=getattr(http, failure)("no"))


def test_generated_files_are_up_to_date() -> None:
    """What is committed is what is built. `claudescope sentry build --out` the folder mends it."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in _GENERATED.iterdir()}
    assert committed == dict(build())


def test_rules_group_events_of_ours(start: Start) -> None:
    """Every kind's tag leads to the fingerprint that the app side gives."""
    rules = _Rules(build()["fingerprint_rules.txt"])
    for kind in ERROR_TYPES:
        assert rules.fingerprint({"tags": {"claude.error_type": kind}}) == ["claude-api-error", kind]
    recorder = start(Options(burst=None))
    for answer in _answers():
        sentry_sdk.capture_exception(fail(answer))
    assert [rules.fingerprint(event) for event in recorder.events] == [
        event["fingerprint"] for event in recorder.events
    ]


@pytest.mark.parametrize("report", REPORTS, ids=["bare", "wrapped", "logged"])
def test_rules_group_events_of_clients_without_us(start: Start, report: Any) -> None:
    """By message, class and status the rules find the kind that the classification finds in the exception."""
    rules = _Rules(build()["fingerprint_rules.txt"])
    recorder = start(ours=False)
    expected: list[list[str]] = []
    for answer in _answers():
        failure = fail(answer)
        expected.append(["claude-api-error", classify(failure).name])

        def call(failure: Exception = failure) -> None:
            raise failure

        report(call)
    assert [rules.fingerprint(event) for event in recorder.events] == expected


def test_rules_leave_others_alone(start: Start) -> None:
    """Errors that are no calls, and other SDKs' errors of the same class and text, are matched by no rule."""
    rules = _Rules(build()["fingerprint_rules.txt"])
    recorder = start(ours=False)
    rate_limit_error = type("RateLimitError", (Exception,), {"__module__": "openai"})
    for other in (
        ZeroDivisionError("Error code: 429"),
        rate_limit_error("Error code: 429 - {'type': 'rate_limit_error'}"),
    ):
        try:
            raise other  # noqa: TRY301 - for its traceback
        except Exception as caught:  # noqa: BLE001 - of any class
            sentry_sdk.capture_exception(caught)
    assert [rules.fingerprint(event) for event in recorder.events] == [None, None]


def test_split_rules() -> None:
    """With `group_by` the fingerprint goes on with the tags."""
    rules = _Rules(build(["model", "workflow"])["fingerprint_rules.txt"])
    assert rules.fingerprint({"tags": {"claude.error_type": "api_error"}}) == [
        *("claude-api-error", "api_error"),
        *("{{ tags.claude.model }}", "{{ tags.claude.workflow }}"),
    ]


def test_a_storm_reaches_every_threshold() -> None:
    """Flood control of one process lets more through than what is not yet too many."""
    options = Options()
    assert options.burst is not None
    minutes = {"5m": 5, "15m": 15, "1h": 60}
    for alert in ALERTS:
        assert alert.tier.more_than < options.burst + options.per_minute * minutes[alert.tier.interval], alert.name


def test_severity_follows_the_classification() -> None:
    """What pages is critical at first sight; what is the caller's own never wakes anybody."""
    assert list(dict.fromkeys(alert.error_type.name for alert in ALERTS)) == list(ERROR_TYPES)
    for alert in ALERTS:
        assert (alert.tier.severity == "critical") == alert.error_type.pages
        assert (alert.tier.severity == "info") == (not alert.error_type.in_budget)
        assert alert.tier.at_first_sight >= alert.error_type.pages


# What the provider's documentation of `sentry_alert` allows.
_RESOURCE = {
    "organization",
    "name",
    "environment",
    "monitor_ids",
    "frequency_minutes",
    "trigger_conditions",
    "action_filters",
}
_TRIGGERS = ["first_seen_event", "regression_event", "reappeared_event"]
_INTERVALS = {"1m", "5m", "15m", "1h", "1d", "1w", "30d"}
_PAGERDUTY = {"integration_id", "service_id", "service_name", "severity"}
_FREQUENCIES = {0, 5, 10, 30, 60, 180, 720, 1440}


def _plain(value: Any) -> Any:
    """hcl2's tree without its marks: it keeps the quotes of strings and notes what is a block."""
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.strip('"') if isinstance(value, str) else value


def _resources() -> dict[str, dict[str, Any]]:
    module: Any = _plain(hcl2.loads(build()["alerts.tf"]))  # pyright: ignore[reportUnknownMemberType]
    return {
        name: body
        for block in module["resource"]
        for kind, named in block.items()
        if kind == "sentry_alert"
        for name, body in named.items()
    }


def test_terraform() -> None:
    """One or two `sentry_alert`s per kind, with what the provider documents alone, on our tag, to PagerDuty."""
    resources = _resources()
    assert list(resources) == [alert.key for alert in ALERTS]
    for alert in ALERTS:
        body = resources[alert.key]
        assert set(body) == _RESOURCE
        assert body["frequency_minutes"] in _FREQUENCIES
        # The provider knows the number of events as a filter only. Without a trigger, every event is one.
        triggers = [name for trigger in body["trigger_conditions"] for name in trigger]
        assert triggers == (_TRIGGERS if alert.at_first_sight else [])
        many = {"event_frequency_count": {"interval": alert.tier.interval, "value": alert.tier.more_than}}
        assert alert.tier.interval in _INTERVALS
        (action_filter,) = body["action_filters"]
        assert action_filter["conditions"] == [
            {"tagged_event": {"key": "claude.error_type", "match": "eq", "value": alert.error_type.name}},
            *([] if alert.at_first_sight else [many]),
        ]
        (action,) = action_filter["actions"]
        assert set(action["pagerduty"]) == _PAGERDUTY
        assert action["pagerduty"]["severity"] in {"critical", "error", "warning", "info"}


def test_payloads_say_what_terraform_says() -> None:
    """The API's bodies have the same names, conditions and severities."""
    resources = list(_resources().values())
    payloads: list[dict[str, Any]] = json.loads(build()["alert_payloads.json"])
    assert len(payloads) == len(ALERTS)
    for payload, resource in zip(payloads, resources, strict=True):
        assert payload["name"] == resource["name"]
        assert payload["config"]["frequency"] == resource["frequency_minutes"]
        assert [
            {condition["type"]: {} if condition["comparison"] is True else condition["comparison"]}
            for condition in payload["triggers"]["conditions"]
        ] == resource["trigger_conditions"]
        (ours,), (theirs,) = payload["actionFilters"], resource["action_filters"]
        assert [{one["type"]: one["comparison"]} for one in ours["conditions"]] == theirs["conditions"]
        assert ours["actions"][0]["data"]["priority"] == theirs["actions"][0]["pagerduty"]["severity"]
