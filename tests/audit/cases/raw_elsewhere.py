"""Requests to other services."""
import requests

URL = "https://api.example.com/v1/messages"


def send(text):
    return requests.post(URL, json={"text": text}, timeout=5).json()


def crawl():
    return requests.get("https://docs.example.com/anthropic", timeout=5).text
