"""Hostile apps, broken responses and bad input, which the portal's web pages must survive."""
