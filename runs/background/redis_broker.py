"""The broker for Redis, in a separate module because the library takes 7 MiB."""

from django_q.brokers.redis_broker import Redis

from runs.background.broker import SignedJson


class RedisBroker(SignedJson, Redis):  # type: ignore[misc]
    """Tasks in Redis."""
