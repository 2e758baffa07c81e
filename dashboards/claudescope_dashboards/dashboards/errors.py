"""Errors: types, owners, actions, retries, and how streams and responses end."""

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
from claudescope_dashboards.grafana.panels import Query, Step, drill_down, stat, time_series
from claudescope_dashboards.grafana.tables import Column, table
from claudescope_dashboards.queries import ENDED, IN_BUDGET, RANGE, Queries
from claudescope_dashboards.recurring import errors_by_type

__all__ = ["errors"]

_NO_STATUS: Final = "no answer"
_STATUSES: Final[Mapping[str, str]] = {
    row.name: found.group() if (found := re.match(r"\d{3}(, \d{3})*", row.sources)) else _NO_STATUS
    for row in ERROR_TYPES.values()
}
"""HTTP statuses by the error type that they cause."""

_OWNERS: Final[Mapping[str, str]] = {row.name: row.owner for row in ERROR_TYPES.values()}
_TRUNCATED: Final = Match(FINISH_REASON, ("max_tokens", "model_context_window_exceeded"))
_REFUSED: Final = Match(FINISH_REASON, ("refusal",))


def errors(queries: Queries) -> dict[str, Any]:
    """Build the dashboard."""
    return dashboard(
        "errors",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(8, _error_types(queries)[:1], title="Errors by type"),
            Row(12, _error_types(queries)[1:]),
            Row(8, _groups(queries), title="Errors by owner, status, model and workflow"),
            Row(8, _retries(queries), title="Retries"),
            Row(8, _streams_and_responses(queries), title="Streams and responses"),
        ],
        description="Errors by type and owner, what to do about them, and retries.",
    )


def _grouped(queries: Queries, expr: str, groups: Mapping[str, str], name: str) -> str:
    """Sum an expression by error type over the group of each error type."""
    error_type = queries.label(ERROR_TYPE)
    for group in dict.fromkeys(groups.values()):
        members = "|".join(member for member, its_group in groups.items() if its_group == group)
        expr = f'label_replace({expr}, "{name}", "{group}", "{error_type}", "{members}")'
    return f"sum by ({name}) ({expr})"


def _retry_ratio(queries: Queries, window: str = "$__rate_interval") -> str:
    """Retried attempts over all attempts: calls and their retries."""
    retries, calls = queries.total(RETRIES, window=window), queries.calls(window=window)
    return f"({retries} or 0 * {calls}) / ({calls} + ({retries} or 0 * {calls}) > 0)"


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    ratio = float(spec.thresholds.retry_ratio)
    all_calls = queries.calls(window=RANGE, function="increase")
    return [
        stat(
            "Error rate now",
            Query(queries.ratio(queries.failed(IN_BUDGET), queries.calls(ENDED))),
            description="Ratio of failed calls, apart from errors that the request itself caused. Orange: above the "
            "objective. Red: the error budget burns fast enough for a page; find the error type and its action below.",
            unit="percentunit",
            steps=colour_steps.error_rate(spec),
            decimals=2,
            links=[drill_down("SLO & error budget", uid("slo", queries))],
        ),
        stat(
            "Failed calls in range",
            Query(
                f"{queries.failed(window=RANGE, function='increase')} or 0 * {all_calls}",
                instant=True,
            ),
            description="All failed calls in the time range, including errors that the request itself caused. This "
            "number has no threshold: see the table below.",
            unit="locale",
            steps=(Step("blue"),),
            decimals=0,
        ),
        stat(
            "Caller error rate now",
            Query(queries.ratio(queries.failed(Match(ERROR_TYPE, _of_owner("caller"))), queries.calls(ENDED))),
            description="Ratio of calls that the API rejected because of the request itself. Red: the app sends "
            "invalid requests; check the last release for changed parameters, schemas or model names.",
            unit="percentunit",
            steps=colour_steps.rising(0.01, float(spec.thresholds.error_type_ratio)),
            decimals=2,
        ),
        stat(
            "Retry ratio now",
            Query(_retry_ratio(queries)),
            description="Ratio of attempts that failed and were retried. Red: above the alert's threshold, users wait "
            "longer although calls succeed; find the error types below.",
            unit="percentunit",
            steps=colour_steps.rising(ratio / 2, ratio),
            decimals=1,
        ),
        stat(
            "Retry delay in range",
            Query(
                f"{queries.total(RETRY_DELAY, window=RANGE, function='increase')} or 0 * {all_calls}",
                instant=True,
            ),
            description="Total time that calls waited between attempts in the time range. This number has no "
            "threshold. If it grows, find the model below.",
            unit="s",
            steps=(Step("blue"),),
        ),
        stat(
            "Unfinished calls now",
            Query(queries.ratio(queries.calls(Match(OUTCOME, ("cancelled", "abandoned"))), queries.calls())),
            description="Ratio of calls that the app cancelled, or whose stream it did not read to the end. Red: more "
            "than a third; check whether timeouts are too short or users leave because responses are slow.",
            unit="percentunit",
            steps=colour_steps.rising(0.15, 0.33),
            decimals=1,
        ),
    ]


def _of_owner(owner: str) -> tuple[str, ...]:
    return tuple(error_type for error_type, its_owner in _OWNERS.items() if its_owner == owner)


def _error_types(queries: Queries) -> list[Any]:
    error_type = queries.label(ERROR_TYPE)
    return [
        time_series(
            "Errors by type",
            Query(f"60 * {errors_by_type(queries)}", queries.legend(ERROR_TYPE)),
            description="Failed calls per minute by error type, after all retries. The colour shows the owner: red is "
            "the provider, orange the quota, yellow the account, purple the network, blue the caller. The table below "
            "lists what to do about each type.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            empty="No errors",
        ),
        table(
            "Recommended action by error type",
            Column(
                f"label_replace({queries.failed(by=(ERROR_TYPE,), window=RANGE, function='increase')} > 0, "
                f'"advice", "$1", "{error_type}", "(.*)")',
                "Calls",
                "locale",
                decimals=0,
            ),
            labels={error_type: "Error type", "advice": "Recommended action"},
            description="Failed calls in the time range by error type, most frequent first, and what to do about each "
            "type.",
            sort="Calls",
            widths={"Error type": 210, "Calls": 90},
            texts={"Recommended action": {row.name: row.advice for row in ERROR_TYPES.values()}},
            empty="No errors",
        ),
    ]


def _groups(queries: Queries) -> list[Any]:
    by_error_type = errors_by_type(queries)
    model = queries.label(REQUEST_MODEL)

    def ratio(label: Any) -> str:
        return queries.ratio(queries.failed(by=(label,)), queries.calls(ENDED, by=(label,)))

    return [
        time_series(
            "Errors by owner",
            Query(f"60 * {_grouped(queries, by_error_type, _OWNERS, 'owner')}", "{{owner}}"),
            description="Failed calls per minute by owner, who can fix the error. Provider: check status.claude.com. "
            "Quota: spread the load. Account: check the key, credit and spend limit. Caller: check the last release.",
            unit="cpm",
            stacked=True,
            colours=OWNER_COLOURS,
            empty="No errors",
        ),
        time_series(
            "Errors by HTTP status",
            Query(f"60 * {_grouped(queries, by_error_type, _STATUSES, 'status')}", "{{status}}"),
            description="Failed calls per minute by the HTTP status of their error type. 'no answer' means that the "
            "connection or the stream failed, or a timeout passed. Traces and Sentry have the request id of a single "
            "call.",
            unit="cpm",
            stacked=True,
            empty="No errors",
        ),
        time_series(
            "Error rate by model",
            Query(ratio(REQUEST_MODEL), queries.legend(REQUEST_MODEL)),
            description="Ratio of failed calls by model. If only one model is above the threshold, fall back to "
            "another. If all are, check the provider, the account and the network.",
            unit="percentunit",
            steps=colour_steps.error_rate(queries.spec),
            links=[drill_down("Latency of this model", uid("latency", queries), model=model)],
        ),
        time_series(
            "Error rate by workflow",
            Query(ratio(WORKFLOW), queries.legend(WORKFLOW)),
            description="Ratio of failed calls by workflow. If only one workflow is above the threshold, check its "
            "last change.",
            unit="percentunit",
            steps=colour_steps.error_rate(queries.spec),
        ),
    ]


def _retries(queries: Queries) -> list[Any]:
    ratio = float(queries.spec.thresholds.retry_ratio)
    calls = queries.calls(by=(REQUEST_MODEL,))
    return [
        time_series(
            "Retries by error type",
            Query(f"60 * {queries.total(RETRIES, by=(ERROR_TYPE,))}", queries.legend(ERROR_TYPE)),
            description="Retries per minute by error type. If rate limits (orange) grow, lower the concurrency or "
            "request a higher limit. If errors of the provider (red) grow, check status.claude.com.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            empty="No retries",
        ),
        time_series(
            "Retry ratio",
            Query(_retry_ratio(queries), "retried"),
            description="Ratio of attempts that failed and were retried. Above the threshold an alert fires: calls may "
            "still succeed, but users wait longer.",
            unit="percentunit",
            steps=colour_steps.rising(ratio / 2, ratio),
        ),
        time_series(
            "Retry delay per minute by model",
            Query(f"60 * {queries.total(RETRY_DELAY, by=(REQUEST_MODEL,))}", queries.legend(REQUEST_MODEL)),
            description="Seconds that calls waited between attempts, per minute. If the delay grows and the number of "
            "retries does not, the API sends longer retry-after values: lower the load.",
            unit="s",
            stacked=True,
            empty="No retries",
        ),
        time_series(
            "Retries per call by model",
            Query(
                queries.ratio(queries.total(RETRIES, by=(REQUEST_MODEL,)), calls),
                queries.legend(REQUEST_MODEL),
            ),
            description="Retries per call by model. Near the client's max_retries, more retries do not help: shed load "
            "or fall back to another model.",
            unit="short",
            decimals=2,
        ),
    ]


def _streams_and_responses(queries: Queries) -> list[Any]:
    thresholds = queries.spec.thresholds
    interrupted = Match(ERROR_TYPE, ("stream_interrupted_error",))
    responses = queries.total(RESPONSES)
    return [
        time_series(
            "Interrupted stream ratio",
            Query(queries.ratio(queries.failed(interrupted), queries.calls(ENDED)), "interrupted"),
            description="Ratio of calls whose stream ended before the model finished. Above the threshold: check "
            "status.claude.com and the idle timeouts of proxies.",
            unit="percentunit",
            steps=colour_steps.rising(float(thresholds.stream_cut_ratio) / 2, float(thresholds.stream_cut_ratio)),
        ),
        time_series(
            "Cancelled and abandoned calls",
            Query(
                f"60 * {queries.calls(Match(OUTCOME, ('cancelled', 'abandoned')), by=(WORKFLOW,))}",
                queries.legend(WORKFLOW),
            ),
            description="Calls per minute that the app cancelled, or whose stream it did not read to the end. If they "
            "grow with the latency, users gave up. If they grow after a release, check its timeouts.",
            unit="cpm",
            stacked=True,
            empty="No cancelled or abandoned calls",
        ),
        time_series(
            "Responses by stop reason",
            Query(f"60 * {queries.total(RESPONSES, by=(FINISH_REASON,))}", queries.legend(FINISH_REASON)),
            description="Responses per minute by the model's stop reason. max_tokens: truncated; refusal: refused; "
            "tool_use: the app continues. If max_tokens or refusal grow, see the panel beside this one.",
            unit="cpm",
            stacked=True,
            colours={"end_turn": GOOD, "tool_use": "blue", "max_tokens": WARNING, "refusal": BAD},
        ),
        time_series(
            "Truncated and refused responses",
            Query(queries.ratio(queries.total(RESPONSES, _TRUNCATED), responses), "truncated"),
            Query(queries.ratio(queries.total(RESPONSES, _REFUSED), responses), "refused"),
            description="Ratio of responses that were truncated or refused. If truncated responses are above the "
            "threshold, raise max_tokens or shorten the context. If refused ones are, check changes of prompts and the "
            "input of users.",
            unit="percentunit",
            steps=colour_steps.rising(float(thresholds.refusal_ratio), float(thresholds.truncation_ratio)),
            colours={"truncated": WARNING, "refused": BAD},
        ),
    ]
