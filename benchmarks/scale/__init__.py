"""Thousands of packages: time, memory and faults, compared with statsforecast."""
