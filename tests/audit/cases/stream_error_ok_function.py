"""Create and iterate in one try, through a helper."""
import anthropic

client = anthropic.Anthropic(timeout=60)


def start(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=500, messages=prompt, stream=True)  # @ sdk-sync by-caller


def follow(prompt):
    try:
        for event in start(prompt):
            print(event.type)
    except anthropic.APIError as error:
        raise SystemExit(str(error)) from error
