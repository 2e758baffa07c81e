"""The forms that rules take: one file for each system that evaluates them."""
