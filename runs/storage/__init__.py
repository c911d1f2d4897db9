"""Files: fetch them from addresses that may be unsafe, inspect them, keep them and serve them.

Start with `store.py` (save a file), `guard.py` (requests to untrusted addresses), `media.py` and `serve.py`. Tables:
`StoredFile` and `StorageUse`. Sends `file_inspected`. `engine`, `uploads`, `sharing` and `catalog` save files with it;
views serve them, and `tasks.py` removes those that nothing needs.
"""
