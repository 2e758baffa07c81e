"""Only print."""
import anthropic

client = anthropic.Anthropic(timeout=10)


def ask(prompt):
    try:
        answer = client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=prompt)  # @ sdk-sync swallowed ! swallowed-error
        return answer
    except anthropic.APIError as error:
        print("oops", error)
