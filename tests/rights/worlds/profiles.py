"""How many worlds are tried: in CI few and always the same, with HYPOTHESIS_PROFILE=long twenty times as many others.

A world that shows a difference is not made smaller by itself, which takes minutes: HYPOTHESIS_PROFILE=shrink does it.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "")
LONG, SHRINK = PROFILE == "long", PROFILE == "shrink"
TIMES = 20


def examples(count: int) -> settings:
    """Settings for ``count`` worlds in CI. A failure prints the blob with which it is repeated."""
    return settings(
        max_examples=count * TIMES if LONG else count,
        derandomize=not LONG,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if SHRINK else [])],
        suppress_health_check=list(HealthCheck),
    )
