"""gunicorn's threaded worker, protected from slow clients."""
