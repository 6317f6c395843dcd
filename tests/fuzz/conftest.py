"""The world of the fuzz tests, and who calls."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.fuzz.doors import Door
    from tests.fuzz.world import World

NO_MAIL = "smtp://127.0.0.1:1"  # no worker runs, so nothing is sent


@pytest.fixture
def quiet(settings: Any) -> Iterator[None]:
    """Mails could be sent; refusals fill no log."""
    settings.EMAIL_URL = NO_MAIL
    log = logging.getLogger("django.request")
    level = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)


@pytest.fixture(scope="module")
def _furnished(_session_cast: None, django_db_blocker: Any) -> Iterator[World]:
    """Everybody has signed in: once for a file, and undone after it."""
    from django.db import transaction
    from django.test import Client, override_settings

    from core import scope
    from orgs.models import Organization
    from tests.cast import load
    from tests.everywhere import everywhere
    from tests.fuzz.world import build, sign_in

    def knock(path: str, headers: dict[str, str]) -> tuple[int, Any]:
        response = Client().get(path, headers=headers)
        return response.status_code, json.loads(response.content)

    with django_db_blocker.unblock(), override_settings(EMAIL_URL=NO_MAIL), transaction.atomic():
        with everywhere():
            scope.enter_tenants(Organization.objects.filter(is_tenant=True).values_list("id", flat=True))
            made = build(load())
            sign_in(made, knock)
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def world(_furnished: World, cast: Cast, quiet: None) -> World:
    """Everybody has signed in; what a test changes is rolled back with the test."""
    return copy.deepcopy(_furnished)


@pytest.fixture
def door(world: World) -> Door:
    """The administrator calls."""
    from tests.fuzz.doors import Door

    return Door(world)
