"""The app."""
import anthropic
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from routes import router


async def unavailable(request, error):
    return JSONResponse({"message": "later"}, 503)


app = FastAPI(exception_handlers={anthropic.APIError: unavailable})
app.include_router(router)
