"""A thread nobody asks."""
import threading
import anthropic

client = anthropic.Anthropic(timeout=30)


def report(day):
    reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": day}])  # @ sdk-sync none ! fire-and-forget unhandled-call
    print(reply.content[0].text)


def start(day):
    threading.Thread(target=report, args=(day,), daemon=True).start()
