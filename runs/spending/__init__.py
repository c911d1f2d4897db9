"""What runs cost, and how much people may spend.

Tables: `models.spending`. The engine calls `charges` as it starts and ends runs, inside its own transactions; a press
beyond a limit is refused there. Pages ask `estimates` before a press, `left` what may still be spent, and the sums that
move with each charge what was. All amounts are estimates: Lamina never says what a single run cost, so the page of
spending shows what the account spent beside them.
"""
