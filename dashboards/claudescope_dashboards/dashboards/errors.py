"""What fails, whose fault it is, what to do about it, and what retries cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from claudescope.schema.catalogue import (
    ERROR_TYPE,
    FINISH_REASON,
    OUTCOME,
    REQUEST_MODEL,
    RESPONSES,
    RETRIES,
    RETRY_DELAY,
    WORKFLOW,
)
from claudescope.schema.error_types import ERROR_TYPES
from claudescope_alerts.promql.selectors import Match
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import BAD, ERROR_TYPE_COLOURS, GOOD, OWNER_COLOURS, WARNING
from claudescope_dashboards.grafana.panels import Column, Query, Step, drill_down, stat, table, time_series
from claudescope_dashboards.queries import ENDED, IN_BUDGET, RANGE, Queries

__all__ = ["errors"]

_NO_STATUS: Final = "no answer"
_STATUSES: Final[Mapping[str, str]] = {
    row.name: found.group() if (found := re.match(r"\d{3}(, \d{3})*", row.sources)) else _NO_STATUS
    for row in ERROR_TYPES.values()
}
"""HTTP statuses by the kind of error that they give."""

_OWNERS: Final[Mapping[str, str]] = {row.name: row.owner for row in ERROR_TYPES.values()}
_CUT: Final = Match(FINISH_REASON, ("max_tokens", "model_context_window_exceeded"))
_REFUSED: Final = Match(FINISH_REASON, ("refusal",))


def errors(queries: Queries) -> dict[str, Any]:
    """The board."""
    return dashboard(
        "errors",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(8, _error_types(queries)[:1], title="What fails"),
            Row(10, _error_types(queries)[1:]),
            Row(8, _groups(queries), title="Whose fault, and where"),
            Row(8, _retries(queries), title="Retries"),
            Row(8, _endings(queries), title="Calls that end otherwise"),
        ],
        description="What fails, whose fault is it, and what do retries hide?",
    )


def _grouped(queries: Queries, expr: str, groups: Mapping[str, str], name: str) -> str:
    """An expression by error kind, added up over a group that each kind belongs to."""
    kind = queries.label(ERROR_TYPE)
    for group in dict.fromkeys(groups.values()):
        members = "|".join(member for member, its in groups.items() if its == group)
        expr = f'label_replace({expr}, "{name}", "{group}", "{kind}", "{members}")'
    return f"sum by ({name}) ({expr})"


def _retried(queries: Queries, window: str = "$__rate_interval") -> str:
    """The share of attempts that were followed by another: of all calls and their repetitions."""
    retries, calls = queries.total(RETRIES, window=window), queries.calls(window=window)
    return f"({retries} or 0 * {calls}) / ({calls} + ({retries} or 0 * {calls}) > 0)"


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    ratio = float(spec.thresholds.retry_ratio)
    everything = queries.calls(window=RANGE, function="increase")
    return [
        stat(
            "Calls that fail",
            Query(queries.ratio(queries.failed(IN_BUDGET), queries.calls(ENDED))),
            description="Share of calls that failed for a reason outside of their own request. Orange: over the "
            "objective. Red: the budget burns as fast as a page takes; the kind below says what to do.",
            unit="percentunit",
            steps=colour_steps.error_rate(spec),
            decimals=2,
            links=[drill_down("SLO & error budget", uid("slo", queries))],
        ),
        stat(
            "Failed calls",
            Query(
                f"{queries.failed(window=RANGE, function='increase')} or 0 * {everything}",
                instant=True,
            ),
            description="All failed calls in the time range, the caller's own mistakes included. It counts and does "
            "not judge: the table below says which matter.",
            unit="short",
            steps=(Step("blue"),),
            decimals=0,
            graph=False,
        ),
        stat(
            "Failed by the request itself",
            Query(queries.ratio(queries.failed(Match(ERROR_TYPE, _of_owner("caller"))), queries.calls(ENDED))),
            description="Share of calls that the API refused for what was in them. Red: a release sends what the API "
            "does not take; look for a change of parameters, schema or model name.",
            unit="percentunit",
            steps=colour_steps.rising(0.01, float(spec.thresholds.error_type_ratio)),
            decimals=2,
        ),
        stat(
            "Attempts repeated",
            Query(_retried(queries)),
            description="Share of attempts that were followed by another. Red: over the alert's threshold; users wait "
            "although calls succeed in the end. The causes are below.",
            unit="percentunit",
            steps=colour_steps.rising(ratio / 2, ratio),
            decimals=1,
        ),
        stat(
            "Time lost to retries",
            Query(
                f"{queries.total(RETRY_DELAY, window=RANGE, function='increase')} or 0 * {everything}",
                instant=True,
            ),
            description="Time that calls of the time range slept between attempts, added up. If it grows, somebody "
            "waits for it: see which model below.",
            unit="s",
            steps=(Step("blue"),),
            graph=False,
        ),
        stat(
            "Broken off by the app",
            Query(queries.ratio(queries.calls(Match(OUTCOME, ("cancelled", "abandoned"))), queries.calls())),
            description="Share of calls that the app cancelled, or whose stream it left. Red: more than a third; "
            "deadlines are too short, or readers leave because answers are slow.",
            unit="percentunit",
            steps=colour_steps.rising(0.15, 0.33),
            decimals=1,
        ),
    ]


def _of_owner(owner: str) -> tuple[str, ...]:
    return tuple(kind for kind, its in _OWNERS.items() if its == owner)


def _error_types(queries: Queries) -> list[Any]:
    kind = queries.label(ERROR_TYPE)
    return [
        time_series(
            "Failures by kind",
            Query(f"60 * {queries.failed(by=(ERROR_TYPE,))}", queries.legend(ERROR_TYPE)),
            description="Failed calls a minute, after all retries. Each kind has its colour on all boards; the hue is "
            "whose fault it is: red the provider, orange the quota, yellow the account, blue the caller.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            empty="No failures",
        ),
        table(
            "What to do",
            Column(
                f"label_replace({queries.failed(by=(ERROR_TYPE,), window=RANGE, function='increase')}, "
                f'"advice", "$1", "{kind}", "(.*)")',
                "Calls",
                "short",
            ),
            labels={kind: "Kind", "advice": "What to do"},
            description="Failures of the time range, most frequent first, and what to do about each kind.",
            sort="Calls",
            widths={"Kind": 210, "Calls": 90},
            texts={"What to do": {row.name: row.advice for row in ERROR_TYPES.values()}},
            empty="No failures",
        ),
    ]


def _groups(queries: Queries) -> list[Any]:
    by_error_type = queries.failed(by=(ERROR_TYPE,))
    model = queries.label(REQUEST_MODEL)

    def ratio(label: Any) -> str:
        return queries.ratio(queries.failed(by=(label,)), queries.calls(ENDED, by=(label,)))

    return [
        time_series(
            "By whose fault",
            Query(f"60 * {_grouped(queries, by_error_type, _OWNERS, 'owner')}", "{{owner}}"),
            description="Failed calls a minute by who can mend it. Provider: status.claude.com. Quota: spread the "
            "load. Account: key, credit or spend limit. Caller: the last release.",
            unit="cpm",
            stacked=True,
            colours=OWNER_COLOURS,
            empty="No failures",
        ),
        time_series(
            "By HTTP status",
            Query(f"60 * {_grouped(queries, by_error_type, _STATUSES, 'status')}", "{{status}}"),
            description="Failed calls a minute by the status that their kind comes from. '"
            + _NO_STATUS
            + "': the connection, a timeout or the stream failed. For a single request id, see its trace or Sentry.",
            unit="cpm",
            stacked=True,
            empty="No failures",
        ),
        time_series(
            "Share that fails, by model",
            Query(ratio(REQUEST_MODEL), queries.legend(REQUEST_MODEL)),
            description="Share of calls to each model that fail. One model alone above the line: fall back to "
            "another; all of them: the provider, the account or the network.",
            unit="percentunit",
            steps=colour_steps.error_rate(queries.spec),
            links=[drill_down("Latency of this model", uid("latency", queries), model=model)],
        ),
        time_series(
            "Share that fails, by workflow",
            Query(ratio(WORKFLOW), queries.legend(WORKFLOW)),
            description="Share of calls of each workflow that fail. One workflow alone above the line: look at its "
            "last change, not at the provider.",
            unit="percentunit",
            steps=colour_steps.error_rate(queries.spec),
        ),
    ]


def _retries(queries: Queries) -> list[Any]:
    ratio = float(queries.spec.thresholds.retry_ratio)
    calls = queries.calls(by=(REQUEST_MODEL,))
    return [
        time_series(
            "Retries by cause",
            Query(f"60 * {queries.total(RETRIES, by=(ERROR_TYPE,))}", queries.legend(ERROR_TYPE)),
            description="Attempts a minute that failed and were repeated, by why. Orange: lower concurrency or ask "
            "for a higher limit. Red: the provider; check status.claude.com.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            empty="No retries",
        ),
        time_series(
            "Share of attempts repeated",
            Query(_retried(queries), "repeated"),
            description="Above the line the alert on retries fires: calls still succeed, and users wait longer.",
            unit="percentunit",
            steps=colour_steps.rising(ratio / 2, ratio),
        ),
        time_series(
            "Seconds lost a minute, by model",
            Query(f"60 * {queries.total(RETRY_DELAY, by=(REQUEST_MODEL,))}", queries.legend(REQUEST_MODEL)),
            description="Seconds that calls slept between attempts, in each minute. If it grows while retries do "
            "not, retry-after has become longer: the limit is exhausted, not merely touched.",
            unit="s",
            stacked=True,
            empty="No retries",
        ),
        time_series(
            "Retries per call, by model",
            Query(
                queries.ratio(queries.total(RETRIES, by=(REQUEST_MODEL,)), calls),
                queries.legend(REQUEST_MODEL),
            ),
            description="Near the client's max_retries, repeating no longer helps: shed load or fall back to another "
            "model.",
            unit="short",
            decimals=2,
        ),
    ]


def _endings(queries: Queries) -> list[Any]:
    thresholds = queries.spec.thresholds
    interrupted = Match(ERROR_TYPE, ("stream_interrupted_error",))
    answers = queries.total(RESPONSES)
    return [
        time_series(
            "Streams that break",
            Query(queries.ratio(queries.failed(interrupted), queries.calls(ENDED)), "interrupted"),
            description="Share of calls whose stream ended before the model was done. Above the line: check "
            "status.claude.com, and idle timeouts of proxies on the way.",
            unit="percentunit",
            steps=colour_steps.rising(float(thresholds.stream_cut_ratio) / 2, float(thresholds.stream_cut_ratio)),
        ),
        time_series(
            "Calls that the app broke off",
            Query(
                f"60 * {queries.calls(Match(OUTCOME, ('cancelled', 'abandoned')), by=(WORKFLOW, OUTCOME))}",
                queries.legend(WORKFLOW, OUTCOME),
            ),
            description="Calls a minute that were cancelled, or whose stream was left early. A rise after a slow "
            "spell: readers gave up. A rise after a release: its deadline.",
            unit="cpm",
            stacked=True,
            empty="None",
        ),
        time_series(
            "Answers by why they ended",
            Query(f"60 * {queries.total(RESPONSES, by=(FINISH_REASON,))}", queries.legend(FINISH_REASON)),
            description="Answers a minute by the model's reason to stop. max_tokens: cut short; refusal: declined; "
            "tool_use: the app goes on.",
            unit="cpm",
            stacked=True,
            colours={"end_turn": GOOD, "tool_use": "blue", "max_tokens": WARNING, "refusal": BAD},
        ),
        time_series(
            "Answers cut short or refused",
            Query(queries.ratio(queries.total(RESPONSES, _CUT), answers), "cut short"),
            Query(queries.ratio(queries.total(RESPONSES, _REFUSED), answers), "refused"),
            description="Share of answers. Cut short above the line: raise max_tokens or shorten the context. Refused: "
            "look for a change of prompts, or for what users bring in.",
            unit="percentunit",
            steps=colour_steps.rising(float(thresholds.refusal_ratio), float(thresholds.truncation_ratio)),
            colours={"cut short": WARNING, "refused": BAD},
        ),
    ]
