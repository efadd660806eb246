"""How good the forecasts are, beside other methods, on a folder of real counts."""
