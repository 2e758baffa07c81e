"""litellm, any exception is logged."""
import litellm
import structlog

log = structlog.get_logger()


async def ask(question):
    try:
        answer = await litellm.acompletion(model="anthropic/claude-sonnet-5-5", messages=[{"role": "user", "content": question}], timeout=30)  # @ litellm bare-or-broad ! broad-except
    except Exception as e:
        log.error("litellm failed", error=str(e))
        return None
    return answer.choices[0].message.content
