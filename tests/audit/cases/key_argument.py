"""A key as an argument."""
import anthropic

client = anthropic.Anthropic(api_key="sk-ant-api03-Hq7Lm2Zt9RwXc4VbN8yKd3PfGs6JaUe1", timeout=9)  # ! hard-coded-key
