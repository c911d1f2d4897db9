"""Every state of every page, by name: judged by axe, and photographed for people who judge."""

from tests.story.scenes import forms, people, runs, sign_in
from tests.story.scenes.stage import scenes

__all__ = ["forms", "people", "runs", "scenes", "sign_in"]
