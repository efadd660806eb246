"""How good the forecasts of all packages were, and whether a week was unusual.

Everything here is made of the track record in a bundle. Both programs use it: the weekly job
for its summary, the page for its answers.
"""
