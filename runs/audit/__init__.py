"""The record: who did what, and when, for admins.

Tables: `Entry`, which is append-only, and `EntryOrigin`. Code that changes something calls `record` inside its own
transaction: if the change is rolled back, so is its entry. Who did it comes from `actors`, which the middleware, the
worker and commands set.
"""
