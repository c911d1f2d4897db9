"""Finding runs again, and what happens to old ones.

Start with `filters.py` (the search), `selection.py` and `bulk_actions.py`, `bin.py` and `retention_rules.py`. Tables:
`Selection`, `SavedView`, `RetentionRules` and `RunCount`. Has no events. Its own views, those of other pages with runs,
and `display` call it; `tasks.py` empties the bin and applies the retention rules.
"""
