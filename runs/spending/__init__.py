"""What runs cost, and how much people may spend.

The tables are in `models.spending`. The engine calls `charges` inside its own transactions when it starts and ends
runs; that's where `limits` refuses a run that would exceed a limit. Pages use `estimates` for what a run will cost,
`limits` for what may still be spent, and the running totals for what has been spent. All amounts are estimates: Lamina
never says what a single run cost, so the spending page also shows what the account spent.
"""
