"""urllib, http.client, urllib3, a Request object, an endpoint of parts."""
import http.client
import json
import urllib.error
import urllib.request

import httpx
import urllib3

HOST = "api.anthropic.com"


def one(body):
    request = urllib.request.Request(f"https://{HOST}/v1/messages", data=json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # @ raw-http specific
            return json.load(response)
    except urllib.error.URLError as error:
        raise RuntimeError("no answer") from error


def two(body):
    connection = http.client.HTTPSConnection(HOST, timeout=20)
    try:
        connection.request("POST", "/v1/messages", json.dumps(body))  # @ raw-http specific
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(response.status)
        return json.load(response)
    except OSError as error:
        raise RuntimeError("no answer") from error


def three(body):
    reply = urllib3.PoolManager().request("POST", f"https://{HOST}/v1/messages", json=body, timeout=20)  # @ raw-http specific ? unhandled-call
    if reply.status >= 400:
        raise RuntimeError(reply.status)
    return reply.json()


def four(body):
    client = httpx.Client()
    request = client.build_request("POST", f"https://{HOST}/v1/messages", json=body)
    try:
        response = client.send(request)  # @ raw-http specific
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise RuntimeError("no answer") from error
    return response.json()
