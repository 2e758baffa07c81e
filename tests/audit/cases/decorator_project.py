"""A decorator of the project catches."""
import functools
import logging
import anthropic

log = logging.getLogger(__name__)


def safe(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except anthropic.APIError as error:
            log.error("%s failed: %s", function.__name__, error)
            raise RuntimeError("unavailable") from error
    return wrapper


@safe
def ask(prompt):
    return anthropic.Anthropic(timeout=5).messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-decorator


print(ask([]))
