"""A thread per item, joined."""
import logging
import threading
import anthropic

client = anthropic.Anthropic(timeout=15)


def one(prompt, out):
    try:
        out.append(client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt))  # @ sdk-sync specific ! unbounded-concurrency ? fire-and-forget
    except anthropic.APIError as error:
        logging.error("one: %s", error)


def many(prompts):
    out = []
    threads = [threading.Thread(target=one, args=(p, out)) for p in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out
