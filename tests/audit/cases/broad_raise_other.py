"""Any exception becomes another one."""
import anthropic


class AskError(RuntimeError):
    """Claude failed."""


async def ask(client: anthropic.AsyncAnthropic, prompt):
    try:
        return await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt)  # @ sdk-async bare-or-broad ! broad-except ? no-timeout
    except Exception as error:
        raise AskError(str(error)) from error
