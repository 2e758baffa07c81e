"""Generates the alerts as request bodies of `POST /api/0/organizations/{organization}/workflows/`.

Values of your organization are placeholders `${…}` for `envsubst`.
"""

from __future__ import annotations

import json
from typing import Any

from claudescope.sentry.as_code.thresholds import ALERTS, Alert
from claudescope.sentry.tags import ERROR_TYPE_TAG

__all__ = ["alert_payloads"]


def alert_payloads() -> str:
    """Return the alerts as a JSON list of request bodies."""
    return json.dumps([_payload(alert) for alert in ALERTS], indent=2) + "\n"


def _payload(alert: Alert) -> dict[str, Any]:
    tier = alert.tier
    first_sight = ("first_seen_event", "regression_event", "reappeared_event") if alert.at_first_sight else ()
    many = _condition("event_frequency_count", {"value": tier.more_than, "interval": tier.interval})
    return {
        "name": alert.name,
        "enabled": True,
        "environment": "${SENTRY_ENVIRONMENT}",
        "config": {"frequency": tier.every_minutes},
        "detectorIds": ["${SENTRY_ISSUE_STREAM_MONITOR_ID}"],
        "triggers": {
            "logicType": "any-short",
            # Without a trigger, every event of an issue is one.
            "conditions": [_condition(name, True) for name in first_sight],
            "actions": [],
        },
        "actionFilters": [
            {
                "logicType": "all",
                "conditions": [
                    _condition("tagged_event", {"key": ERROR_TYPE_TAG, "match": "eq", "value": alert.error_type.name}),
                    *([] if alert.at_first_sight else [many]),
                ],
                "actions": [
                    {
                        "type": "pagerduty",
                        "integrationId": "${PAGERDUTY_INTEGRATION_ID}",
                        "config": {
                            "targetType": "specific",
                            "targetIdentifier": "${PAGERDUTY_SERVICE_ID}",
                            "targetDisplay": "${PAGERDUTY_SERVICE_NAME}",
                        },
                        "data": {"priority": tier.severity},
                        "status": "active",
                    }
                ],
            }
        ],
    }


def _condition(name: str, comparison: object) -> dict[str, Any]:
    return {"type": name, "comparison": comparison, "conditionResult": True}
