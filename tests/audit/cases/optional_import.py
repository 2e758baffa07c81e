"""An optional import and a class-level default."""
try:
    import anthropic
except ImportError:
    anthropic = None


class Claude:
    def __init__(self, client=None):
        self.client = client if client is not None else anthropic.Anthropic(timeout=30)

    def __call__(self, prompt):
        try:
            return self.client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific
        except anthropic.APIError as error:
            raise RuntimeError("claude") from error
