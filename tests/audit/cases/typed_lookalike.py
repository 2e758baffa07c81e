"""Typed parameters of other libraries, in a file that imports anthropic too."""
import anthropic
import mailgun

__version__ = anthropic.__version__


class Client:
    def __init__(self, messages):
        self.messages = messages


def send(client: mailgun.Client, other: Client):
    client.messages.create(to="x")
    return other.messages.create(text="x")
