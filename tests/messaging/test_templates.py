"""Texts that people store: checked whoever stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Invalid
from core.models import AuditEntry
from messaging.models import Template
from messaging.services import templates
from tests.factories import at_once

if TYPE_CHECKING:
    from orgs.models import Organization


@pytest.mark.django_db
@pytest.mark.rule("DOCMS-153")
@pytest.mark.parametrize("kind", ["pw_init", "pw_reset"])
@pytest.mark.parametrize("field", ["body", "body_en"])
def test_a_password_text_without_its_link_is_refused(tenant: Organization, kind: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        templates.store_tenant_text(tenant=tenant, kind=kind, changes={field: "<p>Hallo {{user_name}}</p>"})
    assert list(refused.value.fields) == [field]
    assert not Template.objects.filter(tenant=tenant, kind=kind).exists()
    templates.store_tenant_text(
        tenant=tenant, kind=kind, changes={field: '<a href="{{ link }}">x</a>', "subject": "Neu"}
    )
    templates.store_tenant_text(tenant=tenant, kind=kind, changes={field: ""})  # falls back to the built-in one
    other = templates.store_tenant_text(tenant=tenant, kind="welcome", changes={field: "<p>Hallo</p>"})
    assert getattr(other, field) == "<p>Hallo</p>"


@pytest.mark.django_db
@pytest.mark.rule("DOCMS-152")
@pytest.mark.parametrize("hidden", ['<a href="{{evil}}">x</a>', "<p title='{{evil}}'>x</p>", "<!-- {{evil}} -->x<p>"])
def test_a_placeholder_is_found_wherever_it_hides(tenant: Organization, hidden: str) -> None:
    with pytest.raises(Invalid):
        templates.store_tenant_text(tenant=tenant, kind="notification", changes={"body": hidden})


@pytest.mark.django_db
def test_who_changed_a_text_is_noted(tenant: Organization) -> None:
    row = templates.store_tenant_text(tenant=tenant, kind="notification", changes={"subject": "Eins"})
    templates.store_tenant_text(tenant=tenant, kind="notification", changes={"subject": "Zwei"})
    entries = AuditEntry.objects.filter(object_type="messaging.template", object_id=str(row.pk)).order_by("id")
    assert [entry.changes["subject"] for entry in entries] == [["", "Eins"], ["Eins", "Zwei"]]


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_share_one_row() -> None:
    from core import scope
    from tests.cast import load

    cast = load()

    def store(field: str) -> object:
        with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
            return templates.store_tenant_text(tenant=cast.tenant, kind="notification", changes={field: field})

    at_once(lambda: store("subject"), lambda: store("body"))
    with scope.unit_of_work(door="test", tenants=[cast.tenant.pk]):
        row = Template.objects.get(tenant=cast.tenant, kind="notification")
        assert (row.subject, row.body) == ("subject", "body")
