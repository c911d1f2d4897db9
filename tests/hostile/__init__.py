"""Hostile apps, broken answers, bad input: what the portal must survive, tried through its web pages."""
