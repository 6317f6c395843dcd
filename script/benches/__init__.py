"""Measurements. Each module is one bench for `script/bench`."""
