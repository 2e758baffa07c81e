"""urllib: a request object; its error is an URLError."""
import json
import os
import urllib.error
import urllib.request


def ask(prompt):
    body = json.dumps({"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": prompt}]}).encode()
    request = urllib.request.Request("https://api.anthropic.com/v1/messages", data=body, headers={"x-api-key": os.environ["KEY"]})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # @ raw-http specific
            return json.load(response)
    except urllib.error.URLError as error:
        raise SystemExit(f"no answer: {error}")
