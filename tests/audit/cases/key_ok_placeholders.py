"""Write it as `ANTHROPIC_API_KEY=sk-ant-api03-...`, for example sk-ant-api03-your-key-here."""
import os

HELP = "export ANTHROPIC_API_KEY=sk-ant-api03-..."
SHORT = "sk-ant-..."
EXAMPLE = "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxx"
KEY = os.environ["ANTHROPIC_API_KEY"]
