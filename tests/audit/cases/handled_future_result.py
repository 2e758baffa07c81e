"""The result of a future is where errors come up."""
from concurrent.futures import ThreadPoolExecutor

import anthropic

client = anthropic.Anthropic(timeout=30)


def ask(question):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=question)  # @ sdk-sync by-caller


def main(question, other):
    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = [pool.submit(ask, question), pool.submit(ask, other)]
    for future in futures:
        try:
            print(future.result().content)
        except anthropic.APIError as error:
            print("failed:", error.message)
            raise SystemExit(1) from error
