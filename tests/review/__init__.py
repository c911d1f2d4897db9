"""Deciding together. The promises made to users are numbered, and each test names those it checks:

- D1: identical verdicts sent at the same time lead to a single decision. If one person sends two different verdicts,
  the first counts, and the response to the second says what has changed. `test_verdicts`
- D2: nobody decides on an older version or on other content. `test_verdicts`, `test_deciding_pages`
- D3: every verdict stays readable, and is never edited or deleted. `test_deciding_pages`, `access/test_access`
- D4: the four-eyes rule. `test_verdicts`, `test_deciding_pages`
- D5: new versions of a result. `launching/test_next_version`, `test_few_queries`
- D6: opening an address changes nothing. `sharing/test_guest_answers`, `notices/test_mail_pages`
- D7: guests. `sharing/test_guest_answers`, `sharing/test_guest_comments`
- D9: what comments may contain, and their limits. `test_comments`, `test_comment_pages`
- D10: every way of marking a spot gives the same result. `browser/test_comments`, `test_comment_pages`
- D11: comments on a moment in a video or audio file. `browser/test_comments`, `test_comment_pages`
- D12: mentions. `test_comments`, `test_comment_pages`
- D13: resolving, reopening and removing comments. `test_comments`
- D14: the queue can be worked through by keyboard alone, and quickly. `browser/test_queue_keys`, `test_many_people`
- D15: everything works without scripts, on a phone and with a screen reader, in every state.
  `browser/test_deciding_states`, `browser/test_decisions_together`, `browser/test_queue_keys`

All these tests run on SQLite and PostgreSQL, except most of those in `tests/browser`.
"""
