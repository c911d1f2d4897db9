"""What pages show, as plain values for templates. Nothing here changes anything.

Start with `cards.py` (runs and apps in lists), `run_page.py`, `result_page.py` and `verdicts.py`. Has no tables and no
events; it reads those of the subjects above it. Views and template tags call it.
"""
