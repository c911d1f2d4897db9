"""What runs cost, and how much people may spend.

Tables: `models.spending`. The engine calls `charges` when it starts and ends runs, inside its own transactions; there,
`limits` refuses a run over the limit. Pages use `estimates` for what a run will cost, `limits` for what may still be
spent, and the running totals for what has been spent. All amounts are estimates: Lamina never says what a single run
cost, so the spending page also shows what the account spent.
"""
