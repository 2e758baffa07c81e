"""Alertmanager's configuration (https://prometheus.io/docs/alerting/latest/configuration/), as 0.25 and newer load it.

Secrets stay in files that Alertmanager reads. PagerDuty refuses an event without a summary, with a severity other than
its own four words, or with a long dedup key. So the summary is that of the first alert, as a group has no common one
when its alerts differ; each receiver has its own severity; and Alertmanager's key is a hash of the group.
"""

from __future__ import annotations

from typing import Any, Final

from claudescope._internal.yaml_model import format_duration
from claudescope.schema.catalogue import REQUEST_MODEL
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.symptoms.telemetry import DEAD_MAN
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.routing import Hours, Receiver

__all__ = ["DEADMAN", "LOCAL", "PAGE", "TICKET", "alertmanager_config"]

PAGE: Final = "claude-page"
TICKET: Final = "claude-ticket"
LOCAL: Final = "claude-local"
DEADMAN: Final = "claude-deadman"

_AT_ONCE: Final = {"group_wait": "0s", "group_interval": "15s", "repeat_interval": "4h"}
"""Pages are sent at once, and their resolution soon after."""

_HOURS: Final = "business-hours"
_HOLIDAYS: Final = "holidays"
_SUMMARY: Final = "{{ (index .Alerts 0).Annotations.summary }}"


def alertmanager_config(spec: Spec, selectors: SelectorBuilder) -> dict[str, Any]:
    """The whole configuration of a spec."""
    routing, hours = spec.routing, spec.routing.ticket.hours
    held = hours.hold == "alertmanager"
    ticket_times: dict[str, Any] = {"active_time_intervals": [_HOURS]} if held else {}
    if held and hours.holidays:
        ticket_times["mute_time_intervals"] = [_HOLIDAYS]
    routes: list[dict[str, Any]] = [
        {
            "receiver": DEADMAN,
            "matchers": [f'alertname="{DEAD_MAN}"'],
            "group_wait": "0s",
            "group_interval": "1m" if routing.switch is None else format_duration(routing.switch.every),
            "repeat_interval": "1m" if routing.switch is None else format_duration(routing.switch.every),
        }
    ]
    if routing.local is not None:
        routes.append(
            {
                "receiver": LOCAL,
                "matchers": ['owner="local"', 'severity="page"'],
                **_AT_ONCE,
            }
        )
    routes += [
        {"receiver": PAGE, "matchers": ['severity="page"'], **_AT_ONCE},
        {"receiver": TICKET, "matchers": ['severity="ticket"'], "repeat_interval": "1d", **ticket_times},
    ]
    group_by, model = _group_by(spec), selectors.label(REQUEST_MODEL)
    per_model = [objective.name for objective in spec.objectives if objective.sli.per_model]
    if per_model:
        # Each model has an error budget of its own, so each has an incident of its own.
        own = {"group_by": [*group_by, model]}
        matcher = f'slo=~"{"|".join(per_model)}"'
        routes = [routes[0], *({**route, "matchers": [*route["matchers"], matcher], **own} for route in routes[1:]),
                  *routes[1:]]  # fmt: skip
    receivers = [
        {"name": DEADMAN, **_deadman(spec)},
        {"name": PAGE, **_receiver(routing.page, "critical", spec)},
        {"name": TICKET, **_receiver(routing.ticket, "warning", spec)},
    ]
    if routing.local is not None:
        receivers.append({"name": LOCAL, **_receiver(routing.local, "error", spec)})
    config: dict[str, Any] = {
        "route": {
            # An alert that no route below matches becomes a ticket.
            "receiver": TICKET,
            # One incident for each problem, however many models it affects.
            "group_by": group_by,
            "group_wait": "10s",
            "group_interval": "1m",
            "repeat_interval": "1d",
            "routes": routes,
        },
        "inhibit_rules": _inhibitions(model, _deployments(spec)),
        "receivers": receivers,
    }
    if held:
        config["time_intervals"] = _intervals(hours)
    return config


def _deployments(spec: Spec) -> list[str]:
    """The labels that tell deployments apart. Alerts without one have it empty, and are equal."""
    return list(dict.fromkeys(("cluster", *spec.service.deployment_labels, *spec.service.alert_labels)))


def _group_by(spec: Spec) -> list[str]:
    return ["alertname", "service", "slo", "error_type", "severity", *_deployments(spec)]


def _inhibitions(model: str, deployments: list[str]) -> list[dict[str, Any]]:
    """A page silences the tickets about the same problem, of the same deployment."""
    pages = ['severity="page"']
    return [
        {
            "source_matchers": pages,
            "target_matchers": ['severity="ticket"'],
            # Missing labels are equal: without alertname, alerts that have no slo would silence one another; without
            # the model, the page of one model would silence the tickets of the others.
            "equal": ["service", "slo", "alertname", model, *deployments],
        },
        {
            "source_matchers": ['alertname="ClaudeApiUnavailable"', *pages],
            "target_matchers": ['alertname=~"ClaudeErrorTypeHigh|ClaudeStreamsCut"'],
            "equal": ["service", "owner", *deployments],
        },
        {
            "source_matchers": ['alertname="ClaudeApiUnavailable"', *pages],
            # Retries have no single owner: any error that can be retried causes them.
            "target_matchers": ['alertname="ClaudeRetryShareHigh"'],
            "equal": ["service", *deployments],
        },
    ]


def _intervals(hours: Hours) -> list[dict[str, Any]]:
    business = {
        "times": [{"start_time": hours.start, "end_time": hours.end}],
        "weekdays": list(hours.days),
        "location": hours.zone,
    }
    intervals: list[dict[str, Any]] = [{"name": _HOURS, "time_intervals": [business]}]
    if hours.holidays:
        days = [
            {
                "years": [str(day.year)],
                "months": [str(day.month)],
                "days_of_month": [str(day.day)],
                "location": hours.zone,
            }
            for day in hours.holidays
        ]
        intervals.append({"name": _HOLIDAYS, "time_intervals": days})
    return intervals


def _deadman(spec: Spec) -> dict[str, Any]:
    deadman = spec.routing.switch
    if deadman is None:
        return {}
    webhook: dict[str, Any] = {"send_resolved": False}
    webhook |= {"url": deadman.url} if deadman.url else {"url_file": deadman.url_file}
    if deadman.token_file:
        webhook["http_config"] = {"authorization": {"credentials_file": deadman.token_file}}
    return {"webhook_configs": [webhook]}


def _receiver(receiver: Receiver, severity: str, spec: Spec) -> dict[str, Any]:
    configs: dict[str, Any] = {}
    if receiver.pagerduty_key_file:
        configs["pagerduty_configs"] = [_pagerduty(receiver, severity, spec)]
    if receiver.slack:
        configs["slack_configs"] = [
            {
                "send_resolved": True,
                "api_url_file": receiver.slack.api_url_file,
                "channel": receiver.slack.channel,
                "title": _SUMMARY,
                "title_link": "{{ (index .Alerts 0).Annotations.runbook_url }}",
                "text": "{{ range .Alerts }}{{ .Annotations.description }}\n{{ end }}",
            }
        ]
    if receiver.email:
        email = receiver.email
        login = {"auth_username": email.username} if email.username else {}
        secret = {"auth_password_file": email.password_file} if email.password_file else {}
        configs["email_configs"] = [
            {
                "send_resolved": True,
                "to": email.to,
                "from": email.sender,
                "smarthost": email.smarthost,
                **login,
                **secret,
                "headers": {"Subject": _SUMMARY},
            }
        ]
    return configs


def _pagerduty(receiver: Receiver, severity: str, spec: Spec) -> dict[str, Any]:
    first = "(index .Alerts 0)"
    url = {"url": receiver.pagerduty_url} if receiver.pagerduty_url else {}
    return {
        "send_resolved": True,
        "routing_key_file": receiver.pagerduty_key_file,
        **url,
        "severity": severity,
        "description": _SUMMARY,
        "client": "claudescope",
        "client_url": f"{{{{ {first}.Annotations.dashboard_url }}}}",
        "component": spec.service.name,
        "class": "{{ .CommonLabels.alertname }}",
        "group": "{{ .CommonLabels.slo }}",
        "details": {
            "severity": "{{ .CommonLabels.severity }}",
            "owner": "{{ .CommonLabels.owner }}",
            "description": "{{ range .Alerts }}{{ .Annotations.description }}\n{{ end }}",
            "runbook": f"{{{{ {first}.Annotations.runbook_url }}}}",
            "dashboard": f"{{{{ {first}.Annotations.dashboard_url }}}}",
            "num_firing": "{{ .Alerts.Firing | len }}",
        },
    }
