"""A raw proxy that gives the body away."""
import httpx
from fastapi import FastAPI, HTTPException

app = FastAPI()
http = httpx.AsyncClient(timeout=10)


@app.post("/p")
async def p(body: dict):
    r = await http.post("https://api.anthropic.com/v1/messages", json=body)  # @ raw-http specific ! error-shown-to-user ? unhandled-call
    if r.status_code != 200:
        raise HTTPException(r.status_code, r.text)
    return r.json()
