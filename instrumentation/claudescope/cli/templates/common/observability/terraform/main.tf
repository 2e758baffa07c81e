# PagerDuty: two services, and the router that tells pages from tickets. What is in the module is generated.
terraform {
  required_version = ">= 1.5"

  # backend "s3" {} # where your team keeps its state
}

provider "pagerduty" {} # reads PAGERDUTY_TOKEN

module "pagerduty" {
  source = "../alerts/pagerduty"

  escalation_policy_id = var.escalation_policy_id
}

variable "escalation_policy_id" {
  description = "Who is called: the id of a PagerDuty escalation policy."
  type        = string
}
