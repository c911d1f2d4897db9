"""The words that people read, and those that search compares.

Start with `messages.py` (sentences for stored codes), `numbers.py` and `moments.py` for what people read, and with
`terms.py` and `run_index.py` for search. Tables: `RunWords`, `KnownWord` and `WordTrigram`. Has no events. Nearly every
folder below it calls it.
"""
