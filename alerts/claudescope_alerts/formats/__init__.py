"""The formats of rules: one module for each system that reads them."""
