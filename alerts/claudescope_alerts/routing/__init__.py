"""Who receives which alert, and when: Alertmanager's configuration, its tests, and PagerDuty's side as Terraform."""
