"""The record: who did what, and when, for admins.

Tables: `Entry`, which is append-only, and `EntryOrigin`. Code that changes something calls `record` inside its own
transaction, so if the change is rolled back, its entry is too. `actors` knows who did it; the middleware, the worker
and commands tell it.
"""
