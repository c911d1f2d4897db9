"""Errors that people are told of."""


class UserFacingError(Exception):
    """Something cannot be done; SENTENCE is for people."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
