"""requests, raise_for_status, specific errors, a log with the id."""
import logging
import requests

log = logging.getLogger(__name__)


def ask(body, key):
    try:
        r = requests.post("https://api.anthropic.com/v1/messages", json=body, headers={"x-api-key": key}, timeout=(3, 60))  # @ raw-http specific
        r.raise_for_status()
    except requests.HTTPError as error:
        log.error("refused: %s %s", error.response.status_code, error.response.headers.get("request-id"))
        raise
    except requests.RequestException as error:
        log.error("no connection: %s", error)
        raise
    data = r.json()
    if data["stop_reason"] != "end_turn":
        log.warning("cut off")
    return data["content"][0]["text"]
