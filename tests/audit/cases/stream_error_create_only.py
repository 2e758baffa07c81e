"""The try holds create alone."""
import anthropic

client = anthropic.Anthropic()


def follow(prompt):
    try:
        stream = client.messages.create(model="claude-haiku-5-5", max_tokens=500, messages=prompt, stream=True)  # @ sdk-sync specific ! stream-error-unhandled ? no-timeout
    except anthropic.APIStatusError as error:
        print("refused", error.status_code, error.request_id)
        raise SystemExit(1) from error
    for event in stream:
        print(event.type)
