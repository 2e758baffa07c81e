"""FastAPI: a background task that handles its errors."""
import logging
import anthropic
from fastapi import BackgroundTasks, FastAPI

log = logging.getLogger(__name__)
app = FastAPI()
client = anthropic.Anthropic(timeout=30)


def classify(text):
    try:
        client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-sync specific ? fire-and-forget
    except anthropic.APIError:
        log.exception("classify")


@app.post("/in")
async def post(text: str, background: BackgroundTasks):
    background.add_task(classify, text)
    return {"ok": True}
