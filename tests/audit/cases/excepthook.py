"""A hook for what nobody catches is no handling of a call; main catches."""
import sys

import anthropic

client = anthropic.Anthropic(timeout=30)


def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync by-caller


def main():
    try:
        print(ask(sys.argv[1]).content)
    except anthropic.AuthenticationError:
        return "Set ANTHROPIC_API_KEY"
    except anthropic.APIStatusError as error:
        return f"Refused: {error.status_code} ({error.request_id})"
    except anthropic.APIConnectionError:
        return "No connection"
    return 0


if __name__ == "__main__":
    sys.exit(main())
