"""The record: who did what, and when, for admins.

Tables: `Entry`, which only grows, and `EntryOrigin`. Whatever changes something calls `record` inside its own
transaction: if the change is undone, so is its entry. Who did it comes from `actors`, which the middleware, the worker
and commands set.
"""
