"""Deciding together. Its promises are numbered, and tests name the promises that they check:

- D1: equal verdicts sent at once leave one decision. If one person sends two different ones, the first counts, and the
  response to the second says what has changed. `test_verdicts`
- D2: nobody decides on an older version or on other content. `test_verdicts`, `test_deciding_pages`
- D3: every verdict stays readable, and nothing edits or deletes one. `test_deciding_pages`, `access/test_access`
- D4: four eyes. `test_verdicts`, `test_deciding_pages`
- D5: the next version. `launching/test_next_version`, `test_few_queries`
- D6: opening an address changes nothing. `sharing/test_guest_answers`, `notices/test_mail_pages`
- D7: guests. `sharing/test_guest_answers`, `sharing/test_guest_comments`
- D9: texts and limits of comments. `test_comments`, `test_comment_pages`
- D10: every way of marking a spot gives the same result. `test_comments_in_browser`, `test_comment_pages`
- D11: comments on a second of a video or audio file. `test_comments_in_browser`, `test_comment_pages`
- D12: mentions. `test_comments`, `test_comment_pages`
- D13: resolve, reopen and remove. `test_comments`
- D14: the queue works by keys, and quickly. `test_queue_keys`, `test_many_people`
- D15: everything works without scripts, on a phone and with a screen reader, in every state.
  `browser/test_deciding_states`, `browser/test_decisions_together`, `test_queue_keys`

All these tests run on SQLite and PostgreSQL, except those in `tests/browser`.
"""
