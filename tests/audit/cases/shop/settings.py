"""Settings."""
from dataclasses import dataclass


@dataclass
class Settings:
    model: str = "claude-3-5-haiku-20241022"
    url: str = "https://api.anthropic.com/v1/messages"


settings = Settings()
