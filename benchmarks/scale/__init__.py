"""Thousands of packages: time, memory and faults, beside statsforecast."""
