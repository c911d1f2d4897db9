"""The shared request counter in Redis. It follows the same rules as `rate_limit`, but uses Redis's own clock.

Each step is one script, which Redis runs atomically. While Redis is down, requests can't be counted, so none are sent.
"""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from redis import Redis

logger = logging.getLogger("runs.rate_limit")

STAMPS, CLOSED, NUMBER = "portal:budget:stamps", "portal:budget:closed", "portal:budget:number"
AWAY_SECONDS = 3.0  # how long to wait before trying Redis again
TIMEOUT_SECONDS = 2.0

# Every script starts with this: get the time and remove old stamps. ARGV[1] is the window in seconds.
BEGIN = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
local count = redis.call('ZCARD', KEYS[1])
local closed = tonumber(redis.call('GET', KEYS[2]) or '0')
local function add(at)
    redis.call('ZADD', KEYS[1], at, redis.call('INCR', KEYS[3]))
    redis.call('EXPIRE', KEYS[1], 3600)
end
"""
# ARGV[2]: the limit. Returns the seconds to wait, or "0" if the request was counted.
TAKE = """
if closed > now then return tostring(closed - now) end
local limit = tonumber(ARGV[2])
if count >= limit then
    local oldest = redis.call('ZRANGE', KEYS[1], count - limit, count - limit, 'WITHSCORES')
    return tostring(math.max(0.05, oldest[2] + ARGV[1] - now))
end
add(now)
return '0'
"""
# ARGV[2]: the number of seconds during which nothing may be sent.
CLOSE = """
local till = math.max(closed, now + ARGV[2])
redis.call('SET', KEYS[2], string.format('%.6f', till), 'EX', math.ceil(till - now) + 1)
return '0'
"""
# ARGV[2]: how many requests Lamina has counted; ARGV[3]: how many requests from other clients may be ignored.
LEARN = """
local strangers = ARGV[2] - count
if strangers > tonumber(ARGV[3]) then
    for _ = 1, strangers do add(now - ARGV[1] / 2) end
end
return '0'
"""
LOOK = "return tostring(math.max(0, closed - now))"
# ARGV[2]: how many seconds to look back.
USED = "return tostring(redis.call('ZCOUNT', KEYS[1], now - ARGV[2], '+inf'))"


@cache
def _server(url: str) -> "Redis":
    from redis import Redis

    return Redis.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)


def ask(script: str, window_seconds: float, *arguments: float) -> float | None:
    """Run one of the scripts and return its result; None while Redis is down."""
    from redis import RedisError

    values: Any = (STAMPS, CLOSED, NUMBER, window_seconds, *arguments)
    try:
        answer: Any = _server(settings.REDIS_URL).eval(BEGIN + script, 3, *values)
        return float(answer)
    except RedisError as error:
        logger.warning("the request budget cannot be read: %s", type(error).__name__)
        return None
