"""A daemon thread."""
import threading

import anthropic

client = anthropic.Anthropic(timeout=60)


class Summaries:
    def _work(self, text):
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=text)  # @ sdk-sync none ! fire-and-forget unhandled-call
        print(reply.content[0].text)

    def start(self, text):
        threading.Thread(target=self._work, args=(text,), daemon=True).start()
