"""Made-up series, and models fitted to them."""

import datetime as dt

import numpy as np

from forecast.search import train

START = dt.date(2026, 5, 27)  # a Wednesday; 180 days later it is 22 November
WEEK = np.array([1000.0, 1050, 1050, 1020, 950, 500, 450])  # Monday first


def weekly(days=180, start=START, noise=0.06, seed=1, size=1.0):
    """A package with a week, a thousand a day, no days off."""
    shape = WEEK[(start.weekday() + np.arange(days)) % 7]
    return np.rint(size * shape * np.exp(np.random.default_rng(seed).normal(0.0, noise, days)))


def trained(counts, start=START, m_values=(7,), horizon=30):
    return train(np.asarray(counts, float), start, horizon=horizon, m_values=m_values)


def fitted(counts, start=START, m_values=(7,)):
    return trained(counts, start, m_values).model


def stacked(made):
    """The ends of the bands with the median, ascending, shape (5, days)."""
    return np.array([made.lower_95, made.lower_80, made.median, made.upper_80, made.upper_95])
