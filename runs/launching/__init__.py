"""Everything before a run starts: the app's form, drafts, presets, run again, retry, and a field's library.

Start with `posted_form.py`, `prefill.py` and `presets.py`. Tables: `Draft` and `Preset`. Has no events; it calls
`engine` to start runs. Its own views call it, and so do Home, the list of apps, run pages and result pages.
"""
