"""Slack: says the error."""
import anthropic
from slack_bolt import App

app = App(token="x")
client = anthropic.Anthropic(timeout=20)


@app.event("app_mention")
def mention(event, say):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": event["text"]}])  # @ sdk-sync bare-or-broad ! broad-except error-shown-to-user
        say(reply.content[0].text)
    except Exception as e:
        say(f"Oops: {e}")
