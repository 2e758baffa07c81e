"""PagerDuty's side, as Terraform (provider `PagerDuty/pagerduty`, 3.x).

Two services and a router. Pages reach a service with constant high urgency. Tickets reach a service whose urgency is
low outside of support hours and is raised when these start. Alertmanager can only mute tickets; PagerDuty queues them.
"""

from __future__ import annotations

import json
from string import Template
from typing import Final

from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.pagerduty_zones import pagerduty_zone
from claudescope_alerts.spec.routing import DAYS

__all__ = ["pagerduty_terraform"]

_TEXT: Final = Template(
    """
terraform {
  required_providers {
    pagerduty = {
      source  = "PagerDuty/pagerduty"
      version = "~> 3.0"
    }
  }
}

variable "escalation_policy_id" {
  description = "Escalation policy of both services."
  type        = string
}

variable "team_id" {
  description = "Team that owns the router."
  type        = string
  default     = null
}

resource "pagerduty_service" "page" {
  name                    = $page_name
  description             = "Users are affected now."
  escalation_policy       = var.escalation_policy_id
  alert_creation          = "create_alerts_and_incidents"
  auto_resolve_timeout    = "null"
  acknowledgement_timeout = "null"

  incident_urgency_rule {
    type    = "constant"
    urgency = "high"
  }
}

resource "pagerduty_service" "ticket" {
  name                    = $ticket_name
  description             = "Waits for support hours."
  escalation_policy       = var.escalation_policy_id
  alert_creation          = "create_alerts_and_incidents"
  auto_resolve_timeout    = "null"
  acknowledgement_timeout = "null"

  incident_urgency_rule {
    type = "use_support_hours"

    during_support_hours {
      type    = "constant"
      urgency = "high"
    }

    outside_support_hours {
      type    = "constant"
      urgency = "low"
    }
  }

  support_hours {
    type         = "fixed_time_per_day"
    time_zone    = $zone
    start_time   = $start
    end_time     = $end
    days_of_week = $days
  }

  scheduled_actions {
    type       = "urgency_change"
    to_urgency = "high"

    at {
      type = "named_time"
      name = "support_hours_start"
    }
  }
}

resource "pagerduty_event_orchestration" "claude" {
  name = $router_name
  team = var.team_id
}

resource "pagerduty_event_orchestration_router" "claude" {
  event_orchestration = pagerduty_event_orchestration.claude.id

  set {
    id = "start"

    rule {
      label = "Pages go to the service with constant high urgency"

      condition {
        expression = "event.custom_details.severity matches 'page'"
      }

      actions {
        route_to = pagerduty_service.page.id
      }
    }
  }

  catch_all {
    actions {
      route_to = pagerduty_service.ticket.id
    }
  }
}

output "routing_key" {
  description = "Integration key of the router: the content of both key files that Alertmanager reads."
  value       = pagerduty_event_orchestration.claude.integration[0].parameters[0].routing_key
  sensitive   = true
}
""".lstrip("\n")
)


def pagerduty_terraform(spec: Spec) -> str | None:
    """The Terraform file of a spec, formatted as `terraform fmt` does; None where PagerDuty lacks its time zone."""
    hours, service = spec.routing.ticket.hours, spec.service.name
    zone = pagerduty_zone(hours.zone)
    if zone is None:
        return None
    days = [DAYS.index(day) + 1 for day in hours.days]
    end = "23:59" if hours.end == "24:00" else hours.end
    return _TEXT.substitute(
        page_name=json.dumps(f"{service}: pages"),
        ticket_name=json.dumps(f"{service}: tickets"),
        router_name=json.dumps(f"{service}: router"),
        zone=json.dumps(zone),
        start=json.dumps(f"{hours.start}:00"),
        end=json.dumps(f"{end}:00"),
        days=json.dumps(days),
    )
