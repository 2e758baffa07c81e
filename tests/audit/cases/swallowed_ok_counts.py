"""Prints, and counts."""
import anthropic

client = anthropic.Anthropic(timeout=10)
failed = {"n": 0}


def ask_all(prompts):
    for prompt in prompts:
        try:
            client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=prompt)  # @ sdk-sync specific
        except anthropic.APIError as error:
            print("failed:", error)
            failed["n"] += 1
