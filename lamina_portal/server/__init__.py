"""Gunicorn's threaded worker, protected from slow clients."""
