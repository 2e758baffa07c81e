"""A call in a comprehension, with the client of a with statement."""
import anthropic


def answers(questions):
    with anthropic.Anthropic(timeout=9) as client:
        try:
            return [client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=q).content for q in questions]  # @ sdk-sync specific
        except anthropic.APIError as error:
            raise RuntimeError("no answers") from error
