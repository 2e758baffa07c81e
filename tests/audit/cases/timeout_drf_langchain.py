"""Django REST framework and LangChain."""
from anthropic import APIError
from langchain_anthropic import ChatAnthropic
from rest_framework.response import Response
from rest_framework.views import APIView

llm = ChatAnthropic(model="claude-haiku-5-5", max_tokens=100)


class Rhyme(APIView):
    def post(self, request):
        try:
            answer = llm.invoke(request.data["word"])  # @ langchain specific ! no-timeout
        except APIError:
            return Response({"detail": "unavailable"}, status=503)
        return Response({"rhyme": answer.content})
