"""Recording rules and alerts, before they take the form of any system."""
