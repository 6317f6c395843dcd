"""The world of the fuzz tests, and who calls."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.fuzz.doors import Door
    from tests.fuzz.world import World


@pytest.fixture
def quiet(settings: Any) -> Iterator[None]:
    """Mails could be sent; refusals fill no log."""
    settings.EMAIL_URL = "smtp://127.0.0.1:1"  # no worker runs, so nothing is
    log = logging.getLogger("django.request")
    level = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)


@pytest.fixture
def world(cast: Cast, quiet: None) -> World:
    """Everybody has signed in."""
    from django.test import Client

    from tests.fuzz.world import build, sign_in

    def knock(path: str, headers: dict[str, str]) -> tuple[int, Any]:
        response = Client().get(path, headers=headers)
        return response.status_code, json.loads(response.content)

    made = build(cast)
    sign_in(made, knock)
    return made


@pytest.fixture
def door(world: World) -> Door:
    """The administrator calls."""
    from tests.fuzz.doors import Door

    return Door(world)
