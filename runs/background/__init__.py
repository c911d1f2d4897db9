"""The worker, its queue, and what its processes need to work together.

Start with `queue.py` (queue a task), `leases.py` (one process at a time) and `worker.py` (our django-q2 cluster).
Tables: `Lease`, `Heartbeat` and `Incident`; the queue itself is django-q2's. Sends `incident_recorded`. Every subject
with work for later calls it, and so do `tasks.py` and the commands.
"""
