"""litellm: Claude by name."""
import litellm
from litellm import acompletion

MODEL = "anthropic/claude-sonnet-5-5"


async def ask(prompt):
    reply = await acompletion(model=MODEL, messages=[{"role": "user", "content": prompt}])  # @ litellm none ! unhandled-call ? no-timeout
    return reply.choices[0].message.content


def other(prompt):
    return litellm.completion(model="gpt-6", messages=[{"role": "user", "content": prompt}])
