"""Mocks are no clients."""
from unittest.mock import MagicMock

client = MagicMock()
client.messages.create.return_value = "hi"


def test_it():
    """client.messages.create(model="claude-2.1") is what this is about."""
    assert client.messages.create(model="claude-haiku-5-5") == "hi"
