"""Django class view, shows the error."""
import anthropic
from django.http import JsonResponse
from django.views import View


class Ask(View):
    client = anthropic.Anthropic()

    def post(self, request):
        try:
            reply = self.client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific ! no-timeout error-shown-to-user
        except anthropic.APIError as e:
            return JsonResponse({"error": f"Claude said: {e}"}, status=502)
        return JsonResponse({"answer": reply.content[0].text})
