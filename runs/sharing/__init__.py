"""Who else can see a run: the team, or guests with a link.

Start with `visibility.py` (share a run, or stop sharing it), `links.py` (the makers' side of guest links) and
`guests.py` (the guests' side). Tables: `GuestLink`, `GuestLinkOutput`, `GuestCopy` and `SharingRules`. Sends
`run_shared`, `deciders_changed` and `version_shown`; listens to `output_saved`, to copy new files for guests. `engine`,
`review`, `notices`, `history` and pages call it.
"""
