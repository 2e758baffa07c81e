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

# The organization reached its rate limit. Lower concurrency, spread the load or cache more input; if it lasts, request a higher limit.
resource "sentry_alert" "claude_rate_limit_error" {
  organization      = var.sentry_organization
  name              = "Claude API: rate_limit_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "rate_limit_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# Traffic grew faster than the API allows. Raise it gradually, and stagger batch jobs.
resource "sentry_alert" "claude_ramp_limit_error" {
  organization      = var.sentry_organization
  name              = "Claude API: ramp_limit_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "ramp_limit_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# The spend limit is reached, and every call fails until it is raised or the period ends. Raise it in the Claude Console, and find out which workload spent the money.
resource "sentry_alert" "claude_spend_limit_error_first" {
  organization      = var.sentry_organization
  name              = "Claude API: spend_limit_error, first event"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
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

# The spend limit is reached, and every call fails until it is raised or the period ends. Raise it in the Claude Console, and find out which workload spent the money.
resource "sentry_alert" "claude_spend_limit_error" {
  organization      = var.sentry_organization
  name              = "Claude API: spend_limit_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "spend_limit_error" } },
        { event_frequency_count = { interval = "5m", value = 1 } },
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

# The API is overloaded. Check status.claude.com, pause optional traffic, and fall back to another model or region.
resource "sentry_alert" "claude_overloaded_error" {
  organization      = var.sentry_organization
  name              = "Claude API: overloaded_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "overloaded_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# The API failed. Check status.claude.com; if it lasts, send request ids to Anthropic support.
resource "sentry_alert" "claude_api_error" {
  organization      = var.sentry_organization
  name              = "Claude API: api_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "api_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# The API took too long to answer. Stream long answers, lower max_tokens, or use the Batches API.
resource "sentry_alert" "claude_timeout_error" {
  organization      = var.sentry_organization
  name              = "Claude API: timeout_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "timeout_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# No answer came within the client's timeout. Compare the timeout with the p99 latency, and stream long answers.
resource "sentry_alert" "claude_client_timeout_error" {
  organization      = var.sentry_organization
  name              = "Claude API: client_timeout_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "client_timeout_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# The app can't connect to the API. Check DNS, egress rules, proxy, TLS interception and the client's base_url.
resource "sentry_alert" "claude_connection_error" {
  organization      = var.sentry_organization
  name              = "Claude API: connection_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "connection_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# All connections of the HTTP client's pool were in use. Raise max_connections, lower concurrency, or look for streams that are never closed.
resource "sentry_alert" "claude_pool_timeout_error" {
  organization      = var.sentry_organization
  name              = "Claude API: pool_timeout_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "pool_timeout_error" } },
        { event_frequency_count = { interval = "1h", value = 30 } },
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

# Streams end before the answer is complete. Check status.claude.com, and the idle timeouts of proxies and load balancers between the app and the API.
resource "sentry_alert" "claude_stream_interrupted_error" {
  organization      = var.sentry_organization
  name              = "Claude API: stream_interrupted_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "stream_interrupted_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# The API key is missing, wrong, expired or revoked, and every call fails. Check the secret and its latest rollout.
resource "sentry_alert" "claude_authentication_error_first" {
  organization      = var.sentry_organization
  name              = "Claude API: authentication_error, first event"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
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

# The API key is missing, wrong, expired or revoked, and every call fails. Check the secret and its latest rollout.
resource "sentry_alert" "claude_authentication_error" {
  organization      = var.sentry_organization
  name              = "Claude API: authentication_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "authentication_error" } },
        { event_frequency_count = { interval = "5m", value = 1 } },
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

# The API key may not do this. Check its workspace and scopes, access to the model, the status of the organization and, with customer-managed encryption, the encryption key.
resource "sentry_alert" "claude_permission_error_first" {
  organization      = var.sentry_organization
  name              = "Claude API: permission_error, first event"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
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

# The API key may not do this. Check its workspace and scopes, access to the model, the status of the organization and, with customer-managed encryption, the encryption key.
resource "sentry_alert" "claude_permission_error" {
  organization      = var.sentry_organization
  name              = "Claude API: permission_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "permission_error" } },
        { event_frequency_count = { interval = "15m", value = 5 } },
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

# The account can't be billed, and every call fails. Add credit or fix the payment method in the Claude Console.
resource "sentry_alert" "claude_billing_error_first" {
  organization      = var.sentry_organization
  name              = "Claude API: billing_error, first event"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
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

# The account can't be billed, and every call fails. Add credit or fix the payment method in the Claude Console.
resource "sentry_alert" "claude_billing_error" {
  organization      = var.sentry_organization
  name              = "Claude API: billing_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 30

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "billing_error" } },
        { event_frequency_count = { interval = "5m", value = 1 } },
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

# The model, file or other resource does not exist. Look for a misspelt or retired model name.
resource "sentry_alert" "claude_not_found_error" {
  organization      = var.sentry_organization
  name              = "Claude API: not_found_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "not_found_error" } },
        { event_frequency_count = { interval = "1h", value = 30 } },
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

# The request is larger than the API accepts. Shorten the conversation history, or upload files through the Files API.
resource "sentry_alert" "claude_request_too_large" {
  organization      = var.sentry_organization
  name              = "Claude API: request_too_large"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "request_too_large" } },
        { event_frequency_count = { interval = "1h", value = 30 } },
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

# The usage policy blocked the content. Review what the app sends, and handle the error like a refusal.
resource "sentry_alert" "claude_content_policy_error" {
  organization      = var.sentry_organization
  name              = "Claude API: content_policy_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "content_policy_error" } },
        { event_frequency_count = { interval = "1h", value = 30 } },
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

# The API rejected the request as invalid. Look for a recent change to parameters, tools or schemas.
resource "sentry_alert" "claude_invalid_request_error" {
  organization      = var.sentry_organization
  name              = "Claude API: invalid_request_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "invalid_request_error" } },
        { event_frequency_count = { interval = "1h", value = 30 } },
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

# The answer was billed but does not match the schema. Check whether max_tokens cut it off, relax the schema, or use structured outputs.
resource "sentry_alert" "claude_response_validation_error" {
  organization      = var.sentry_organization
  name              = "Claude API: response_validation_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 1440

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "response_validation_error" } },
        { event_frequency_count = { interval = "1h", value = 30 } },
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

# The circuit breaker blocks calls because too many failed. Look at the error types that opened it.
resource "sentry_alert" "claude_circuit_open_error" {
  organization      = var.sentry_organization
  name              = "Claude API: circuit_open_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "circuit_open_error" } },
        { event_frequency_count = { interval = "5m", value = 20 } },
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

# The error came neither from the API nor from the network. Read the stack trace.
resource "sentry_alert" "claude_unknown_error_first" {
  organization      = var.sentry_organization
  name              = "Claude API: unknown_error, first event"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [
    { first_seen_event = {} },
    { regression_event = {} },
    { reappeared_event = {} },
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

# The error came neither from the API nor from the network. Read the stack trace.
resource "sentry_alert" "claude_unknown_error" {
  organization      = var.sentry_organization
  name              = "Claude API: unknown_error"
  environment       = var.sentry_environment
  monitor_ids       = [data.sentry_project_issue_stream_monitor.claude.id]
  frequency_minutes = 60

  trigger_conditions = [] # every event

  action_filters = [
    {
      logic_type = "all"
      conditions = [
        { tagged_event = { key = "claude.error_type", match = "eq", value = "unknown_error" } },
        { event_frequency_count = { interval = "15m", value = 5 } },
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
