"""Imported in a try, in a function, by importlib."""
import importlib

try:
    import anthropic
    from anthropic import Anthropic as Claude
except ImportError:
    anthropic = None
    Claude = None


def ask(prompt):
    if Claude is None:
        raise SystemExit("pip install anthropic")
    client = Claude(timeout=9)
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error


def lazily(prompt):
    sdk = importlib.import_module("anthropic")
    client = sdk.Anthropic(timeout=9)
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except sdk.APIError as error:
        raise RuntimeError("no answer") from error
