"""All contact with Lamina.

Start with `lamina_api.py` (the client), then `rate_limit.py` (the request limit that all processes share), `status.py`
(what we know about Lamina and the key) and `balance.py`. Tables: `LaminaStatus` and `RequestWindow`. Listens to
`run_ended`, to update the balance. `engine` and `catalog` make calls through it; pages and `notices` read its status.
"""
