"""Moments that can be kept and shown wherever somebody is.

At both ends of the calendar a moment has no name in some time zones: to show it would fail, for ever and for every list
it stands in. Before 1900 many zones differ from UTC by seconds, which no contract can write.
"""

from __future__ import annotations

import datetime

EARLIEST = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC)
LATEST = datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC)  # its day, which stands for "never", begins everywhere


def is_showable(moment: datetime.datetime) -> bool:
    """Whether an aware moment lies between the two."""
    return EARLIEST <= moment <= LATEST
