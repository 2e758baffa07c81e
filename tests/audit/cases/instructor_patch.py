"""instructor, in several spellings."""
import anthropic
import instructor
from instructor.exceptions import InstructorRetryException
from pydantic import BaseModel

client = instructor.from_provider("anthropic/claude-haiku-5-5", async_client=True, timeout=20)
patched = instructor.from_anthropic(anthropic.AsyncAnthropic(timeout=9), mode=instructor.Mode.ANTHROPIC_TOOLS)


class User(BaseModel):
    name: str


async def read(text):
    try:
        user = await client.create(response_model=User, messages=[{"role": "user", "content": text}])  # @ instructor specific
        async for part in patched.create_partial(model="claude-haiku-5-5", max_tokens=5, messages=text, response_model=User):  # @ instructor specific
            print(part)
        return user, await patched.chat.completions.create(model="claude-haiku-5-5", max_tokens=5, messages=text, response_model=User)  # @ instructor specific
    except InstructorRetryException as error:
        raise RuntimeError("no user") from error
