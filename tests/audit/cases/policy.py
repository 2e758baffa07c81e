"""A policy of claudescope acts."""
import anthropic
import claudescope

claudescope.instrument()
claudescope.protect("resilience.yaml")
client = anthropic.Anthropic(timeout=5)
print(client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[]))  # @ sdk-sync by-policy
