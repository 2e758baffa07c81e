# PagerDuty: two services, and the event router for pages and tickets. The module is generated.
terraform {
  required_version = ">= 1.5"

  # backend "s3" {} # the backend for your state
}

provider "pagerduty" {} # reads PAGERDUTY_TOKEN

module "pagerduty" {
  source = "../alerts/pagerduty"

  escalation_policy_id = var.escalation_policy_id
}

variable "escalation_policy_id" {
  description = "Id of the PagerDuty escalation policy for alerts."
  type        = string
}
