"""Django: in the context of a template."""
import anthropic
from django.shortcuts import render
from django.views import View

client = anthropic.Anthropic(timeout=30)


class Ask(View):
    def post(self, request):
        context = {}
        try:
            reply = client.messages.create(model="claude-haiku-5-5", max_tokens=300, messages=[{"role": "user", "content": request.POST["q"]}])  # @ sdk-sync specific ! error-shown-to-user ? fallback-hides-error
            context["answer"] = reply.content[0].text
        except anthropic.APIError as error:
            context["error"] = str(error)
        return render(request, "ask.html", context)
