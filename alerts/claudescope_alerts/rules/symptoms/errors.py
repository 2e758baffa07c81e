"""Errors by kind, by whose fault they are; what takes a person at once, and what the app's own process lacks."""

from __future__ import annotations

from typing import Final

from claudescope.schema.catalogue import DURATION, ERROR_TYPE, OPERATION, OUTCOME, RETRIES
from claudescope.schema.error_types import ERROR_TYPES, ErrorType
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.rules.sli import ENDED
from claudescope_alerts.rules.symptoms.ratio import Count, Ratio, count_alert, ratio_alert, simulated
from claudescope_alerts.spec.model import Spec

__all__ = ["groups"]

_POOL: Final = ERROR_TYPES["pool_timeout_error"]
_CIRCUIT: Final = ERROR_TYPES["circuit_open_error"]
_CUT: Final = ERROR_TYPES["stream_interrupted_error"]
_OWN_ALERT: Final = {_POOL.name, _CIRCUIT.name, _CUT.name}
_ACCOUNT_ALERTS: Final = {
    ERROR_TYPES["spend_limit_error"].name: "ClaudeSpendLimitReached",
    ERROR_TYPES["authentication_error"].name: "ClaudeAuthenticationFailing",
    ERROR_TYPES["billing_error"].name: "ClaudeBillingFailing",
}
"""Names of the alerts on kinds that page by themselves."""

_BY_ERROR_TYPE: Final = "ClaudeErrorTypeHigh"
_REMOTE: Final = ("provider", "network")


def groups(spec: Spec, names: SelectorBuilder) -> list[Group]:
    """Alerts on errors."""
    thresholds, service = spec.thresholds, spec.service.name
    error = Match(OUTCOME, ("error",))
    calls = names.select(DURATION, ENDED, part="count")

    def failed(*error_types: ErrorType) -> str:
        return names.select(DURATION, error, Match(ERROR_TYPE, tuple(kind.name for kind in error_types)), part="count")

    def series(kind: ErrorType) -> str:
        return names.series(DURATION, {OPERATION: "chat", OUTCOME: "error", ERROR_TYPE: kind.name}, "count")

    good = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    # What the app broke off counts for nothing.
    broken_off = names.series(DURATION, {OPERATION: "chat", OUTCOME: "cancelled"}, "count")

    alerts: list[Alert] = []
    for kind in ERROR_TYPES.values():
        if kind.name in _OWN_ALERT or kind.pages:
            continue
        alerts.append(
            ratio_alert(
                Ratio(
                    _BY_ERROR_TYPE,
                    failed(kind),
                    (calls,),
                    simulated(series(kind), good, broken_off),
                    limit=thresholds.error_type_ratio,
                    failures=thresholds.min_failures,
                    severity="ticket",
                    owner=kind.owner,
                    subject=f"calls end in {kind.name}",
                    advice=kind.advice,
                    for_=2,
                    labels={"error_type": kind.name},
                ),
                service,
            )
        )
    alerts += [
        count_alert(
            Count(
                _ACCOUNT_ALERTS[kind.name],
                failed(kind),
                series(kind),
                limit=2,
                severity="page",
                owner=kind.owner,
                subject=f"calls ended in {kind.name}",
                advice=kind.advice,
                labels={"error_type": kind.name},
            ),
            service,
        )
        for kind in ERROR_TYPES.values()
        if kind.pages
    ]
    for owner in _REMOTE:
        error_types = tuple(kind for kind in ERROR_TYPES.values() if kind.owner == owner)
        alerts.append(
            ratio_alert(
                Ratio(
                    "ClaudeApiUnavailable",
                    failed(*error_types),
                    (calls,),
                    simulated(series(error_types[-1]), good, broken_off),
                    limit=thresholds.unavailable_ratio,
                    failures=thresholds.min_failures,
                    severity="page",
                    owner=error_types[0].owner,
                    subject=f"calls fail by the {owner}'s fault",
                    advice="Check status.claude.com, then DNS, egress and proxy; fall back to another model or region.",
                    for_=2,
                ),
                service,
            )
        )
    alerts.append(
        count_alert(
            Count(
                "ClaudePoolExhausted",
                failed(_POOL),
                series(_POOL),
                limit=thresholds.pool_timeouts,
                severity="page",
                owner=_POOL.owner,
                subject="calls found no free connection",
                advice=f"The API is not at fault. {_POOL.advice}",
                window=5,
            ),
            service,
        )
    )
    alerts.append(
        count_alert(
            Count(
                "ClaudeCircuitOpen",
                failed(_CIRCUIT),
                series(_CIRCUIT),
                limit=2,
                severity="ticket",
                owner=_CIRCUIT.owner,
                subject="calls were held back by the circuit breaker",
                advice=_CIRCUIT.advice,
                window=5,
            ),
            service,
        )
    )
    alerts.append(
        ratio_alert(
            Ratio(
                "ClaudeStreamsCut",
                failed(_CUT),
                (calls,),
                simulated(series(_CUT), good, broken_off),
                limit=thresholds.stream_cut_ratio,
                failures=thresholds.min_failures,
                severity="ticket",
                owner=_CUT.owner,
                subject="calls had their stream cut",
                advice=_CUT.advice,
            ),
            service,
        )
    )
    retries = names.series(RETRIES, {OPERATION: "chat", ERROR_TYPE: ERROR_TYPES["overloaded_error"].name})
    alerts.append(
        ratio_alert(
            Ratio(
                "ClaudeRetryShareHigh",
                names.select(RETRIES),
                (calls, names.select(RETRIES)),
                simulated(retries, good, broken_off),
                limit=thresholds.retry_ratio,
                failures=thresholds.min_failures,
                severity="ticket",
                owner="either",
                subject="attempts had to be repeated",
                advice="Users wait for every retry: the dashboard says why attempts fail.",
                window=10,
            ),
            service,
        )
    )
    counts = [alert for alert in alerts if alert.value == "humanize"]
    by_error_type = [alert for alert in alerts if alert.name == _BY_ERROR_TYPE]
    ratios = [alert for alert in alerts if alert not in (*counts, *by_error_type)]
    return [
        # By whose fault, as promtool evaluates all rules of a file in each of its tests.
        *(
            Group(f"error-types-{owner}", tuple(alert for alert in by_error_type if alert.owner == owner))
            for owner in dict.fromkeys(alert.owner for alert in by_error_type)
        ),
        Group("error-ratios", tuple(ratios)),
        Group("error-counts", tuple(counts)),
    ]
