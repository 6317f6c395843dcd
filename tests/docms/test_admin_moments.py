"""Dates in forms of the back office, which show whole seconds: what nobody touched stays as it is stored."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest

from core import scope
from core.services import rows
from docms.models import Document, Folder
from orgs.models import Application, Membership
from tests.fuzz.forms import as_it_stands
from tests.portal.pages import house_folder, paper, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db import models
    from django.test import Client

    from tests.cast import Cast

AT = datetime.datetime(2031, 5, 17, 8, 9, 10, 123_456, tzinfo=datetime.UTC)
# 02:30 in Berlin, of which there are two that night: this is the second.
SECOND_HALF_PAST_TWO = datetime.datetime(2026, 10, 25, 1, 30, 0, 7, tzinfo=datetime.UTC)


def application(cast: Cast) -> Application:
    with scope.unit_of_work(door="test"):
        return rows.create(Application, tenant=cast.tenant, name="Abgleich")


MADE: dict[str, Callable[[Cast], models.Model]] = {
    "document": lambda cast: paper(cast, house_folder(cast)),
    "folder": house_folder,
    "membership": lambda cast: cast.membership("renter"),
    "application": application,
}
COLUMNS = (
    (Document, "active_from"), (Document, "active_until"), (Folder, "inactive_at"), (Folder, "allow_delete_files"),
    (Membership, "deactivated_at"), (Application, "deactivated_at"),
)  # fmt: skip


def form_of(client: Client, obj: models.Model) -> tuple[str, dict[str, Any]]:
    """Where the form of a row is sent, and what is sent when nobody touched it."""
    url = f"/admin/{obj._meta.app_label}/{obj._meta.model_name}/{obj.pk}/change/"
    return url, as_it_stands(client.get(url).content.decode())


def stored(cast: Cast, model: type[models.Model], column: str, at: datetime.datetime) -> models.Model:
    """A row whose date somebody has set to the microsecond, as programs do."""
    obj = MADE[model._meta.model_name or ""](cast)
    model._base_manager.filter(pk=obj.pk).update(**{column: at})
    return obj


@pytest.mark.parametrize(("model", "column"), COLUMNS)
@pytest.mark.parametrize("at", [AT, SECOND_HALF_PAST_TWO], ids=["microseconds", "an hour that comes twice"])
def test_a_date_that_nobody_touched_stays_as_it_is(
    cast: Cast, model: type[models.Model], column: str, at: datetime.datetime
) -> None:
    obj = stored(cast, model, column, at)
    client = signed_in(cast.admin)
    url, sent = form_of(client, obj)
    assert client.post(url, sent).status_code == 302
    obj.refresh_from_db()
    assert getattr(obj, column) == at


@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_a_date_that_somebody_wrote_is_stored(cast: Cast, model: type[models.Model], column: str) -> None:
    obj = stored(cast, model, column, AT)
    client = signed_in(cast.admin)
    url, sent = form_of(client, obj)
    assert client.post(url, sent | {f"{column}_1": "10:09:11"}).status_code == 302
    obj.refresh_from_db()
    assert getattr(obj, column) == AT.replace(second=11, microsecond=0)


def test_a_date_that_somebody_emptied_is_gone(cast: Cast) -> None:
    obj = stored(cast, Document, "active_until", AT)
    client = signed_in(cast.admin)
    url, sent = form_of(client, obj)
    assert client.post(url, sent | {"active_until_0": "", "active_until_1": ""}).status_code == 302
    obj.refresh_from_db()
    assert obj.active_until is None  # type: ignore[attr-defined]
