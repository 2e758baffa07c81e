"""BaseException, to roll back, and raised again."""
import anthropic


def ask(session, prompt):
    client = anthropic.Anthropic(timeout=20)
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt)  # @ sdk-sync bare-or-broad ? unhandled-call
    except BaseException as error:
        session.rollback()
        raise error
    if reply.stop_reason == "max_tokens":
        session.mark_partial()
    session.add(reply.content[0].text)
