"""Forecasts by an ARIMA whose hard parts are pooled over thousands of packages.

**Model.** Let y be the downloads of a day and z = ln(1 + y). A package has a weekend gap g,
the distance of its median weekday from its median weekend, and loses the share S[t] of it on
a day off; it has a pattern s of seven weekday effects; what is left is its level:

    z[t] = x[t] + s[weekday of t] - g S[t]
    x[t] = x[t-1] + e[t] + theta e[t-1]

The second line is ARIMA(0,1,1), whose forecast is that of simple exponential smoothing with
alpha = 1 + theta (Box and Jenkins 1970, chapter 5; Hyndman and Athanasopoulos 2021, section
9.10): every day ahead has the present level. There is no drift: what a spring grows by, a
summer loses. Weekday and holiday effects are taken out beforehand, as national statistics
do it (the RegARIMA of X-13), because a hundred days of one package cannot tell them apart.

**Estimation.** Three thetas (alpha 0.05, 0.2, 0.6) are run and averaged, each with a weight
that falls exponentially with its mean one-step error (`level`): from so few days the best theta
is mostly noise, and choosing it costs more than averaging (Bates and Granger 1969). One or two
days far from the week before are outliers and move the level little; three in a row are a new
level (`level.believed`). On a Saturday or Sunday it moves half as fast. For packages with few
downloads the level is drawn to the mean of eight weeks, by 1 / (1 + mean / 100).

**Search.** Every order (p, d, q)(P, D, Q)m of the grid is compared for every configured m,
on x, by one criterion; pmdarima fits the winner (`forecast.search`, `arima`). It enters the
mean with the weight that the population gives it.

**What is pooled** stands in `constants.json`, learned by ``make constants`` on half of a
population of packages: the profile of the week, the shares of days off, the bands, the weight
of the search, and how far a package's own record is believed. What a package's own days can
tell is weighed against it: its weekday pattern is drawn towards the profile by the share of
noise in it (`weekdays`).

**Days off** (`forecast.search.days_off`). The holidays of 20 countries, the bridges between
them and the days around Christmas are columns of one table. Each has a learned weight in units
of the weekend gap: a day off makes Tuesday look like Sunday, in part, for all packages alike; a
package that machines download has no gap, and so no holidays.

**Bands** (`quantiles`). Quantiles of the error in z are log-linear in what is known of the
package (its own errors, how far its weeks move, whether its level has just moved, its size)
and of the day (horizon, weekend, day off). The coefficients minimise the pinball loss over
the population (Koenker and Bassett 1978). No normal theory enters.

**Mean, median, total** (`distribution`). The median of a day is exp(z) - 1. The mean is the
median times the package's smearing factor: the sum of its counts over the sum of their fits
(Duan 1983), without the largest days and those that the level ran behind. A total is the sum of
means. Its band has quantiles of its own, for errors of neighbouring days go together; they are
symmetric in logarithms, and are learned as if every month might as well have gone the other
way, so that one season's growth is no law. No band is narrower than that of a Poisson count,
and no total lies beyond the sum of its days' ends.

**Accuracy told** (`forecast.search.backtest`). A backtest of one package is mostly one month's
luck. It is drawn towards the pooled figure with the weight that it has in predicting the next
month.

A pickle of a bundle names its classes ``forecast.model.Model`` and ``.Arima``, wherever they
stand in here; everything else is imported from its own file.
"""

from forecast.model.arima import Arima
from forecast.model.model import Model

__all__ = ["Arima", "Model"]
