"""Searching, fitting and judging ARIMA models; read ``search.py`` first."""
