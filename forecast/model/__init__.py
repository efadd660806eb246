"""The fitted model: what it is, how it forecasts, how it is kept.

A pickle of a bundle names its classes ``forecast.model.Model`` and ``.Member``, wherever
they stand in here; everything else is imported from its own file.
"""

from forecast.model.ensemble import Model
from forecast.model.member import Member

__all__ = ["Member", "Model"]
