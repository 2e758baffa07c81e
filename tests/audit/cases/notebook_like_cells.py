"""Top-level code in a row, in a loop."""
import anthropic

client = anthropic.Anthropic()
answers = {}
for question in ["a", "b"]:
    message = client.messages.create(model="claude-sonnet-5-5", max_tokens=64, messages=[{"role": "user", "content": question}])  # @ sdk-sync none ! unhandled-call ? no-timeout
    answers[question] = message.content[0].text
