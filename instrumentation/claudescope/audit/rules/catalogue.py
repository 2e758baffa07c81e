"""What each rule is called, how much it matters, and how it is explained."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from claudescope.audit.rules.rule import Rule

__all__ = ["RULES"]

_ALL: Final = (
    Rule(
        "unhandled-call",
        "error",
        "Nothing catches the errors of a call to the API.",
        "The API refuses calls when it is overloaded or a limit is reached. An error that nobody catches ends the request, the job or the program.",
        "reply = client.messages.create(**request)\nprint(reply.content[0].text)\n",
        'try:\n    reply = client.messages.create(**request)\nexcept anthropic.APIError as error:\n    log.error("the answer failed: %s", error)\n    raise AnswerFailed from error\n',
    ),
    Rule(
        "broad-except",
        "warning",
        "A bare except, `except Exception` or `except BaseException` catches the errors of a call and does not raise them again.",
        "It treats a typing error in your code like an outage of the API: nobody notices the bug.",
        'try:\n    reply = client.messages.create(**request)\nexcept Exception:\n    log.exception("the answer failed")\n    return None\n',
        'try:\n    reply = client.messages.create(**request)\nexcept anthropic.APIError:\n    log.exception("the answer failed")\n    return None\n',
    ),
    Rule(
        "swallowed-error",
        "error",
        "A handler does nothing with the error: pass, continue, only print, suppress, or results of gather that nobody reads.",
        "An outage looks like silence: no log, no metric and no alert says that calls fail.",
        "try:\n    reply = client.messages.create(**request)\nexcept anthropic.APIError:\n    pass\n",
        'try:\n    reply = client.messages.create(**request)\nexcept anthropic.APIError as error:\n    log.error("the answer failed: %s", error)\n    failures.inc()\n',
    ),
    Rule(
        "retry-non-retryable",
        "warning",
        "Retries repeat every error, those included that come back each time.",
        "A bad request or a refused key fails again on each attempt. It delays the error and uses up the rate limit.",
        "@retry(stop=stop_after_attempt(5), wait=wait_random_exponential())\ndef ask(request):\n    return client.messages.create(**request)\n",
        "@retry(\n    retry=retry_if_exception_type((anthropic.RateLimitError, anthropic.InternalServerError, anthropic.APIConnectionError)),\n    stop=stop_after_attempt(5),\n    wait=wait_random_exponential(),\n)\ndef ask(request):\n    return client.messages.create(**request)\n",
    ),
    Rule(
        "nested-retries",
        "warning",
        "Your own retries surround a client that retries by itself.",
        "The SDK makes up to three attempts per call. Five attempts of your own make up to fifteen requests out of one, in the middle of an outage.",
        "client = anthropic.Anthropic()\n\n\n@stamina.retry(on=anthropic.RateLimitError, attempts=5)\ndef ask(request):\n    return client.messages.create(**request)\n",
        "client = anthropic.Anthropic(max_retries=5)\n\n\ndef ask(request):\n    return client.messages.create(**request)\n",
    ),
    Rule(
        "no-backoff",
        "warning",
        "Retries follow each other without a wait.",
        "They use up all attempts within a second, and add to the load that made the first one fail.",
        "for attempt in range(5):\n    try:\n        return client.messages.create(**request)\n    except anthropic.RateLimitError:\n        continue\n",
        "for attempt in range(5):\n    try:\n        return client.messages.create(**request)\n    except anthropic.RateLimitError:\n        time.sleep(random.uniform(0, 2**attempt))\n",
    ),
    Rule(
        "ignores-retry-after",
        "warning",
        "Waits after a rate limit do not follow the retry-after header, and the SDK's own retries are off.",
        "The API says when the limit resets. A call before that fails again.",
        "except anthropic.RateLimitError:\n    time.sleep(2**attempt)\n",
        'except anthropic.RateLimitError as error:\n    time.sleep(float(error.response.headers.get("retry-after", 2**attempt)))\n',
    ),
    Rule(
        "stream-not-closed",
        "warning",
        "A stream is left early, never read, or entered by hand, and nothing closes it.",
        "Its connection stays open until the garbage collector finds it. The pool of connections runs dry, and later calls hang.",
        'stream = client.messages.create(stream=True, **request)\nfor event in stream:\n    if event.type == "message_delta":\n        break\n',
        'with client.messages.create(stream=True, **request) as stream:\n    for event in stream:\n        if event.type == "message_delta":\n            break\n',
    ),
    Rule(
        "stream-error-unhandled",
        "error",
        "A try holds the start of a stream, but not its iteration.",
        "An overloaded API often ends a stream that has begun. The error then comes up in the loop, outside the try.",
        "try:\n    stream = client.messages.create(stream=True, **request)\nexcept anthropic.APIError:\n    return apologise()\nfor event in stream:\n    show(event)\n",
        "try:\n    with client.messages.create(stream=True, **request) as stream:\n        for event in stream:\n            show(event)\nexcept anthropic.APIError:\n    return apologise()\n",
    ),
    Rule(
        "stop-reason-ignored",
        "warning",
        "The text of an answer is parsed or stored, and nothing looks at stop_reason.",
        "An answer that was cut off at max_tokens, or refused, is a success for the SDK. Half a JSON document ends up in a parser or in a database.",
        "reply = client.messages.create(**request)\norder = json.loads(reply.content[0].text)\n",
        'reply = client.messages.create(**request)\nif reply.stop_reason != "end_turn":\n    raise Incomplete(reply.stop_reason)\norder = json.loads(reply.content[0].text)\n',
    ),
    Rule(
        "fire-and-forget",
        "warning",
        "A call runs in a task, thread or background task whose errors nobody sees.",
        "The error is lost or printed at the end of the process. A task that nobody keeps may be collected before it has finished.",
        "asyncio.create_task(summarise(document))\n",
        "async with asyncio.TaskGroup() as group:\n    group.create_task(summarise(document))\n",
    ),
    Rule(
        "no-timeout",
        "warning",
        "A call for which a user waits has no timeout.",
        "The SDK waits up to ten minutes, and requests waits for ever. A few slow calls occupy all workers.",
        "client = anthropic.Anthropic()\n",
        "client = anthropic.Anthropic(timeout=30)\n",
    ),
    Rule(
        "unbounded-concurrency",
        "warning",
        "One call starts for every item of a collection, all at the same time.",
        "A thousand items make a thousand calls in a second: most of them are refused with 429, for all users of the account.",
        "replies = await asyncio.gather(*[ask(document) for document in documents])\n",
        "slots = asyncio.Semaphore(8)\n\n\nasync def ask_one(document):\n    async with slots:\n        return await ask(document)\n\n\nreplies = await asyncio.gather(*[ask_one(document) for document in documents])\n",
    ),
    Rule(
        "hard-coded-key",
        "error",
        "A key of the API stands in the source.",
        "Everybody who can read the repository can spend your money, also after the line is deleted.",
        'client = anthropic.Anthropic(api_key="sk-ant-api…")\n',
        "client = anthropic.Anthropic()  # reads ANTHROPIC_API_KEY\n",
    ),
    Rule(
        "error-shown-to-user",
        "warning",
        "The text of an error is sent to a user.",
        "It names limits, models and the account, and may quote the prompt. Users can do nothing with it.",
        "except anthropic.APIError as error:\n    raise HTTPException(502, str(error))\n",
        'except anthropic.APIError as error:\n    log.error("the answer failed: %s", error)\n    raise HTTPException(502, "Please try again in a minute.") from error\n',
    ),
    Rule(
        "retired-model",
        "error",
        "A call asks for a model that the API no longer serves.",
        "The API answers 404 to each call.",
        'reply = client.messages.create(model="claude-3-opus-20240229", **request)\n',
        'reply = client.messages.create(model="claude-opus-5-5", **request)\n',
    ),
    Rule(
        "blocking-call-in-async",
        "error",
        "A synchronous call runs on the event loop.",
        "While it waits for the answer, the process serves no other request.",
        "async def answer(request):\n    return client.messages.create(**request)\n",
        "async def answer(request):\n    return await async_client.messages.create(**request)\n",
    ),
    Rule(
        "missing-request-id-in-log",
        "note",
        "A handler logs that the API refused a call, and neither the error nor its request_id is in the log.",
        "Anthropic's support finds a call by its request id. Without it nobody can tell what happened.",
        'except anthropic.APIStatusError as error:\n    log.error("status %s", error.status_code)\n',
        'except anthropic.APIStatusError as error:\n    log.error("status %s, request %s", error.status_code, error.request_id)\n',
    ),
    Rule(
        "fallback-hides-error",
        "warning",
        "A handler returns a default in place of the answer, and nothing logs or counts the error.",
        "Users get the default for hours, and no dashboard shows that calls fail.",
        'except anthropic.APIError:\n    return "No summary available."\n',
        'except anthropic.APIError as error:\n    log.error("the summary failed: %s", error)\n    return "No summary available."\n',
    ),
    Rule(
        "syntax-error",
        "error",
        "A file can't be parsed, so its calls are not in the report.",
        "What is not read is not checked.",
        "def ask(:\n    pass\n",
        "def ask():\n    pass\n",
    ),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.name: rule for rule in _ALL})
"""Every rule, by its name; `syntax-error` is for files that can't be read."""
