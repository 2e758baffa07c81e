"""The caller handles; a helper in between."""
import logging
import anthropic

log = logging.getLogger(__name__)
claude = anthropic.Anthropic(timeout=30)


def _raw(prompt):
    return claude.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": prompt}])  # @ sdk-sync by-caller


def text(prompt):
    return _raw(prompt).content[0].text


def main():
    try:
        print(text("hi"))
    except anthropic.APIError:
        log.exception("no answer")


main()
