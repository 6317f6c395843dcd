"""Why a person sees something, or why not, in sentences."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone, translation

from core.services import rows
from docms import explain
from docms.models import Document, Folder
from docms.services import documents, groups, permissions
from orgs.services import occupancies
from tests.factories import folder, manual_group, publish

if TYPE_CHECKING:
    from tests.cast import Cast

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


def why(cast: Cast, who: str, obj: Folder | Document) -> str:
    return "\n".join(explain.why(getattr(cast, who), obj))


def test_by_hand(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Beirat", "owner"))
    assert "sees “Papiere”" in why(cast, "owner", where)
    assert "Group “Beirat” reaches the folder; the person was put into it by hand" in why(cast, "owner", where)
    no = why(cast, "renter", where)
    assert "does not see" in no
    assert "the person is not in it" in no


def test_by_occupancy_and_no_longer(cast: Cast) -> None:
    where = folder(cast, group=groups.derived_group(tenant=cast.tenant, unit=cast.unit_a2))
    yes = why(cast, "renter", where)
    assert "sees “Papiere”" in yes
    assert "renter of Wohnung A2, Haus A from 01.01.2020" in yes
    last = cast.tenant.today() - datetime.timedelta(days=2)
    former = why(cast, "former", where)
    assert "does not see" in former
    assert f"until {last:%d.%m.%Y}" in former
    assert "which does not count for this group" in why(cast, "additional", where)
    occupancies.revoke(cast.occupancy("renter"))
    assert "revoked on" in why(cast, "renter", where)
    assert "does not see" in why(cast, "renter", where)


def test_hidden_and_administrators(cast: Cast) -> None:
    top = folder(cast, "Oben", inactive_at=timezone.now() - HOUR)
    below = folder(cast, "Darunter", manual_group(cast, "Alle", "renter"), parent=top)
    assert "“Oben” is hidden since" in why(cast, "renter", below)
    text = why(cast, "admin", below)
    assert "as administrator, but finds it in no list" in text
    assert "but not from administrators" in text
    assert "does not belong to Brandt & Keller" in why(cast, "stranger", below)
    assert "No group reaches this folder." in why(cast, "admin", top)


def test_documents_and_flags(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter", "staff"))
    paper = publish(cast, where, who="staff", active_from=timezone.now() + HOUR, allow_download=False)
    text = why(cast, "renter", paper)
    assert "does not see" in text
    assert "becomes visible on" in text
    assert "Downloading is locked" in text
    assert "The permissions of the membership decide. Allowed: read, download." in text
    assert "Uploader and administrators see a document outside of its period, too." in why(cast, "staff", paper)
    permissions.set_permission(actor=cast.actor("admin"), folder=where, user_id=cast.renter.pk, flags={})
    assert "decides alone. Allowed: nothing." in why(cast, "renter", paper)
    documents.change_document(
        actor=cast.actor("staff"), document=paper,
        changes={"active_from": None, "active_until": timezone.now() - HOUR},
    )  # fmt: skip
    paper.refresh_from_db()
    assert "visible no longer since" in why(cast, "renter", paper)
    Document.objects.filter(pk=paper.pk).update(claimed_at=timezone.now())
    paper.refresh_from_db()
    assert "about to be deleted" in why(cast, "admin", paper)


def test_deactivated(cast: Cast) -> None:
    where = folder(cast, group=manual_group(cast, "Alle", "renter"))
    rows.change(cast.membership("renter"), {"deactivated_at": timezone.now() - HOUR})
    text = why(cast, "renter", where)
    assert "does not see" in text
    assert "deactivated in Brandt & Keller" in text
