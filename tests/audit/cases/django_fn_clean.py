"""Django, all right."""
import logging

import anthropic
from django.http import JsonResponse

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=20)


def view(request):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": request.GET["q"]}])  # @ sdk-sync specific
    except anthropic.RateLimitError as exc:
        log.warning("busy (%s)", exc.request_id)
        return JsonResponse({"error": "busy"}, status=429)
    except anthropic.APIError as exc:
        log.error("failed", exc_info=exc)
        return JsonResponse({"error": "unavailable"}, status=503)
    return JsonResponse({"answer": reply.content[0].text})
