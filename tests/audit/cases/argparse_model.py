"""A retired model as the default of an option."""
import argparse
import sys

import anthropic

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="claude-3-opus-20240229")


def main():
    args = parser.parse_args()
    client = anthropic.Anthropic(timeout=30)
    try:
        reply = client.messages.create(model=args.model, max_tokens=9, messages=[])  # @ sdk-sync specific ! retired-model
    except anthropic.APIError as error:
        sys.exit(f"failed: {error}")
    print(reply.content[0].text)


main()
