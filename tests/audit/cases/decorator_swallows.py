"""A decorator of the project swallows."""
import functools

import anthropic


def quiet(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception:
            pass

    return inner


client = anthropic.Anthropic(timeout=20)


@quiet
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync by-decorator|swallowed ! broad-except swallowed-error
