"""Erasure across the floors (docms open point 14): what one floor holds about somebody, its own `erase` drops."""
