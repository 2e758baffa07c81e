"""Two layers and a script, nothing catches."""
import anthropic


class Translator:
    def __init__(self, language):
        self.language = language
        self.client = anthropic.Anthropic()

    def translate(self, text):
        return self._ask(f"Into {self.language}: {text}")

    def _ask(self, prompt):
        reply = self.client.messages.create(model="claude-haiku-5-5", max_tokens=500, messages=[{"role": "user", "content": prompt}])  # @ sdk-sync none ! unhandled-call ? no-timeout stop-reason-ignored
        return reply.content[0].text


if __name__ == "__main__":
    print(Translator("French").translate("Good morning"))
