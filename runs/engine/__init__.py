"""A run's life, from pressing Run to the last saved file.

Start with `create_run.py`, `submit.py`, `progress.py` (the only code that changes a run's status), `polling.py` and
`save_outputs.py`. Tables: `Run`, `RunInput`, `RunInputUpload`, `Output`, `OutputFile` and `HeldOutputs`. Sends
`run_shared`, `run_ended`, `content_changed` and `output_saved`; listens to `run_ended` and `file_inspected`.
`launching` starts runs, the run page cancels them, and `tasks.py` takes every other step.
"""
