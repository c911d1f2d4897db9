"""Links for people without an account: their options, what a guest sees, and who has looked."""
