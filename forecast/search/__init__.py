"""The search for a model and its judgement; ``train`` is all that a program needs of it."""

from forecast.search.fit import Trained, train

__all__ = ["Trained", "train"]
