"""Every state of every page, by name: judged by axe, and photographed for people who judge."""

from tests.story.scenes import forms, leaving, people, results, reuse, runs, sharing, sign_in
from tests.story.scenes.stage import scenes

__all__ = ["forms", "leaving", "people", "results", "reuse", "runs", "scenes", "sharing", "sign_in"]
