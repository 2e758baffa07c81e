"""Calls survive what the API does to them: retries, circuit breakers, failover and fallbacks, under a policy."""
