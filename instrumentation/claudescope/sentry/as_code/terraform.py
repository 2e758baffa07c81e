"""Generates the alerts as Terraform, for the provider `jianyuan/sentry`."""

from __future__ import annotations

import json
from typing import Final

from claudescope.sentry.as_code.thresholds import ALERTS, Alert
from claudescope.sentry.tags import ERROR_TYPE_TAG

__all__ = ["alert_resources"]

_HEAD: Final = """\
terraform {
  required_providers {
    sentry = {
      source  = "jianyuan/sentry"
      version = ">= 0.15.5"
    }
  }
}

variable "sentry_organization" {
  type        = string
  description = "Slug of the Sentry organization."
}

variable "sentry_project" {
  type        = string
  description = "Slug of the project that the app reports to."
}

variable "sentry_environment" {
  type        = string
  description = "Environment whose events trigger alerts."
  default     = "production"
}

variable "pagerduty_integration" {
  type        = string
  description = "Name of the PagerDuty account in Sentry's integrations."
}

variable "pagerduty_service" {
  type        = string
  description = "Name of the PagerDuty service in Sentry."
  default     = "claude"
}

variable "pagerduty_integration_key" {
  type        = string
  description = "Integration key of the PagerDuty service."
  sensitive   = true
}

data "sentry_project_issue_stream_monitor" "claude" {
  organization = var.sentry_organization
  project      = var.sentry_project
}

data "sentry_organization_integration" "pagerduty" {
  organization = var.sentry_organization
  provider_key = "pagerduty"
  name         = var.pagerduty_integration
}

resource "sentry_integration_pagerduty" "claude" {
  organization    = var.sentry_organization
  integration_id  = data.sentry_organization_integration.pagerduty.id
  service         = var.pagerduty_service
  integration_key = var.pagerduty_integration_key
}
"""

_ALERT: Final = """
# {advice}
resource "sentry_alert" "{key}" {{
  organization      = var.sentry_organization
  name              = {name}
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = {every_minutes}

  trigger_conditions = {triggers}

  action_filters = [
    {{
      logic_type = "all"
      conditions = [
        {{ tagged_event = {{ key = "{tag}", match = "eq", value = "{error_type}" }} }},{many}
      ]
      actions = [
        {{
          pagerduty = {{
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "{severity}"
          }}
        }},
      ]
    }},
  ]
}}
"""


_FIRST_SIGHT: Final = """[
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
  ]"""

_MANY: Final = """
        {{ event_frequency_count = {{ interval = "{interval}", value = {more_than} }} }},"""


def alert_resources() -> str:
    """Return a Terraform module of one file, in the format of `terraform fmt`."""
    return _HEAD + "".join(_resource(alert) for alert in ALERTS)


def _resource(alert: Alert) -> str:
    return _ALERT.format(
        advice=alert.error_type.advice,
        error_type=alert.error_type.name,
        name=json.dumps(alert.name),
        every_minutes=alert.tier.every_minutes,
        key=alert.key,
        triggers=_FIRST_SIGHT if alert.at_first_sight else "[] # every event",
        many="" if alert.at_first_sight else _MANY.format(interval=alert.tier.interval, more_than=alert.tier.more_than),
        tag=ERROR_TYPE_TAG,
        severity=alert.tier.severity,
    )
