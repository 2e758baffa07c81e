"""A command line that tells its user."""
import sys
import anthropic


def main():
    try:
        reply = anthropic.Anthropic(timeout=30).messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
    except anthropic.APIError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    print(reply.content[0].text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
