"""The package hands its client on."""
from .client import claude, get_client

__all__ = ["claude", "get_client"]
