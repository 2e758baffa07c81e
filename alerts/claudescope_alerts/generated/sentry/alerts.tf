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

# Spread the load, lower concurrency or cache more input; if it lasts, ask for a higher rate limit.
resource "sentry_alert" "claude_rate_limit_error" {
  organization      = var.sentry_organization
  name              = "Claude API: rate_limit_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "rate_limit_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# Usage grew faster than the ramp limit allows: raise traffic gradually, and stagger batch jobs.
resource "sentry_alert" "claude_ramp_limit_error" {
  organization      = var.sentry_organization
  name              = "Claude API: ramp_limit_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "ramp_limit_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# A spend limit is used up and every call fails until it is raised or the period ends: raise it in the Claude Console, or find out which workload spent it.
resource "sentry_alert" "claude_spend_limit_error" {
  organization      = var.sentry_organization
  name              = "Claude API: spend_limit_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
    { event_frequency_count = { interval = "5m", value = 1 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "spend_limit_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "critical"
          }
        },
      ]
    },
  ]
}

# The API is overloaded: check status.claude.com, shed optional load, fall back to another model.
resource "sentry_alert" "claude_overloaded_error" {
  organization      = var.sentry_organization
  name              = "Claude API: overloaded_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "overloaded_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# The API failed: check status.claude.com; if it lasts, report request ids to support.
resource "sentry_alert" "claude_api_error" {
  organization      = var.sentry_organization
  name              = "Claude API: api_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "api_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# The API gave up on the request: stream long answers, lower max_tokens, or use the batch API.
resource "sentry_alert" "claude_timeout_error" {
  organization      = var.sentry_organization
  name              = "Claude API: timeout_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "timeout_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# No answer within the client's timeout: compare it with the p99 of the duration, and stream long answers.
resource "sentry_alert" "claude_client_timeout_error" {
  organization      = var.sentry_organization
  name              = "Claude API: client_timeout_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "client_timeout_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# No connection to the API: check DNS, egress rules, proxy, TLS interception and base_url.
resource "sentry_alert" "claude_connection_error" {
  organization      = var.sentry_organization
  name              = "Claude API: connection_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "connection_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# All connections of the client's pool were in use: raise max_connections of its HTTP client, lower concurrency, or look for streams that are never closed.
resource "sentry_alert" "claude_pool_timeout_error" {
  organization      = var.sentry_organization
  name              = "Claude API: pool_timeout_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [
    { event_frequency_count = { interval = "1h", value = 30 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "pool_timeout_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "info"
          }
        },
      ]
    },
  ]
}

# Streams end early: check status.claude.com, and idle timeouts of proxies and load balancers on the way.
resource "sentry_alert" "claude_stream_interrupted_error" {
  organization      = var.sentry_organization
  name              = "Claude API: stream_interrupted_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "stream_interrupted_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# The API key is missing, wrong, expired or revoked, and every call fails: check the secret and its rollout.
resource "sentry_alert" "claude_authentication_error" {
  organization      = var.sentry_organization
  name              = "Claude API: authentication_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
    { event_frequency_count = { interval = "5m", value = 1 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "authentication_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "critical"
          }
        },
      ]
    },
  ]
}

# The key may not do this: check its workspace and scopes, the model's availability, the organization's state and, with customer-managed encryption, the key.
resource "sentry_alert" "claude_permission_error" {
  organization      = var.sentry_organization
  name              = "Claude API: permission_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
    { event_frequency_count = { interval = "15m", value = 5 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "permission_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "error"
          }
        },
      ]
    },
  ]
}

# The account can't be billed and every call fails: add credit or mend the payment method in the Console.
resource "sentry_alert" "claude_billing_error" {
  organization      = var.sentry_organization
  name              = "Claude API: billing_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
    { event_frequency_count = { interval = "5m", value = 1 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "billing_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "critical"
          }
        },
      ]
    },
  ]
}

# The model, file or other resource does not exist: look for a misspelt or retired model name.
resource "sentry_alert" "claude_not_found_error" {
  organization      = var.sentry_organization
  name              = "Claude API: not_found_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [
    { event_frequency_count = { interval = "1h", value = 30 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "not_found_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "info"
          }
        },
      ]
    },
  ]
}

# The request is larger than the API accepts: trim the history, or upload files through the Files API.
resource "sentry_alert" "claude_request_too_large" {
  organization      = var.sentry_organization
  name              = "Claude API: request_too_large"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [
    { event_frequency_count = { interval = "1h", value = 30 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "request_too_large" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "info"
          }
        },
      ]
    },
  ]
}

# Content was blocked by policy: review what the app sends, and handle it as a refusal.
resource "sentry_alert" "claude_content_policy_error" {
  organization      = var.sentry_organization
  name              = "Claude API: content_policy_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [
    { event_frequency_count = { interval = "1h", value = 30 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "content_policy_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "info"
          }
        },
      ]
    },
  ]
}

# The API refused the request as malformed: look for a recent change of parameters, tools or schema.
resource "sentry_alert" "claude_invalid_request_error" {
  organization      = var.sentry_organization
  name              = "Claude API: invalid_request_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [
    { event_frequency_count = { interval = "1h", value = 30 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "invalid_request_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "info"
          }
        },
      ]
    },
  ]
}

# The answer did not fit the schema and was billed: check for max_tokens truncation, relax the schema, or use structured outputs.
resource "sentry_alert" "claude_response_validation_error" {
  organization      = var.sentry_organization
  name              = "Claude API: response_validation_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [
    { event_frequency_count = { interval = "1h", value = 30 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "response_validation_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "info"
          }
        },
      ]
    },
  ]
}

# Calls are held back because too many failed: the kinds that opened the breaker are what to look at.
resource "sentry_alert" "claude_circuit_open_error" {
  organization      = var.sentry_organization
  name              = "Claude API: circuit_open_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { event_frequency_count = { interval = "5m", value = 20 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "circuit_open_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "warning"
          }
        },
      ]
    },
  ]
}

# Not an error of the API or of the way to it: read the stack trace.
resource "sentry_alert" "claude_unknown_error" {
  organization      = var.sentry_organization
  name              = "Claude API: unknown_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
    { event_frequency_count = { interval = "15m", value = 5 } },
  ]

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "unknown_error" } },
      ]
      actions = [
        {
          pagerduty = {
            integration_id = sentry_integration_pagerduty.claude.integration_id
            service_id     = sentry_integration_pagerduty.claude.id
            service_name   = sentry_integration_pagerduty.claude.service
            severity       = "error"
          }
        },
      ]
    },
  ]
}
