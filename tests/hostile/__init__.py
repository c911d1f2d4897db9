"""Hostile apps, broken responses and bad input that the portal must survive, through its web pages."""
