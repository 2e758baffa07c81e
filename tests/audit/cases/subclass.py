"""A client of the project's own, and one that only looks so."""
import anthropic


class Claude(anthropic.Anthropic):
    def ask(self, text):
        return self.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=text)  # @ sdk-sync none ! unhandled-call


class Store:
    def ask(self, text):
        return self.messages.create(text=text)


claude = Claude(timeout=3)
print(claude.messages.count_tokens(model="claude-haiku-5-5", messages=[]))  # @ sdk-sync none ! unhandled-call
