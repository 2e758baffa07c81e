"""The runner is made in the try, and used outside."""
import anthropic
from anthropic import beta_tool

client = anthropic.Anthropic()


@beta_tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def compute(question):
    try:
        runner = client.beta.messages.tool_runner(model="claude-sonnet-5-5", max_tokens=500, tools=[add], messages=question)  # @ sdk-sync specific ! stream-error-unhandled ? no-timeout unhandled-call
    except anthropic.APIError as error:
        raise SystemExit(str(error)) from error
    for message in runner:
        print(message)
