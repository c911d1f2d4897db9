"""The audit record: who did what, and when.

Tables: `Entry`, which is append-only, and `EntryOrigin`. Code that changes something calls `record` inside its own
transaction, so if the change is rolled back, so is its entry. `actors` keeps track of who is acting, as set by the
middleware, the worker and commands.
"""
