"""What is stored about oneself, taken away in the browser."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from core.models import AuditEntry
from docms.models import DocumentLog
from orgs.models import Organization
from orgs.services.tenants import add_member
from portal.web.own_data import PER_MINUTE
from tests.portal.pages import house_folder, paper, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from orgs.models import User
    from tests.cast import Cast

PROFILE = "/app/profile"


def export_of(client: Client, tenant: Organization) -> Any:
    """The answer to the button."""
    return client.post(f"{PROFILE}/export/{tenant.pk}")


def told(answer: Any) -> dict[str, Any]:
    """The JSON in the archive."""
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert sorted(archive.namelist()) == ["data.json", "data.pdf"] and archive.testzip() is None
        found: dict[str, Any] = json.loads(archive.read("data.json"))
    return found


def offered(user: User) -> list[str]:
    """The companies whose data the profile offers."""
    return [company.name for company in signed_in(user).get(PROFILE).context["companies"]]


def test_people_take_their_own_data_away(cast: Cast) -> None:
    answer = export_of(signed_in(cast.renter), cast.tenant)
    assert answer.streaming and answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith(f'attachment; filename="export-{cast.renter.pk}-')
    assert told(answer)["account"]["email"] == cast.renter.email


def test_nothing_of_others_is_in_it(cast: Cast) -> None:
    document = paper(cast, house_folder(cast))
    for who in (cast.owner, cast.renter):
        DocumentLog.objects.create(tenant=cast.tenant, document_id=document.pk, user=who, action="read")
    answer = export_of(signed_in(cast.renter), cast.tenant)
    found = told(answer)
    assert len(found["document_actions"]) == 1
    assert cast.owner.email not in json.dumps(found)


def test_taking_data_away_is_recorded_as_at_the_api(cast: Cast) -> None:
    told(export_of(signed_in(cast.renter), cast.tenant))
    entry = AuditEntry.objects.filter(verb="exported").latest("id")
    assert (entry.user_id, entry.object_id) == (cast.renter.pk, str(cast.membership("renter").pk))


def test_each_company_of_a_person_is_offered(cast: Cast) -> None:
    add_member(user=cast.renter, organization=cast.other_tenant, role="resident")
    assert offered(cast.renter) == [cast.tenant.name, cast.other_tenant.name]


def test_what_one_company_has_stored_is_not_in_the_data_of_another(cast: Cast) -> None:
    add_member(
        user=cast.renter, organization=cast.other_tenant, role="resident", description="Nur bei Nordhaus"
    )  # fmt: skip
    client = signed_in(cast.renter)
    assert "Nur bei Nordhaus" in json.dumps(told(export_of(client, cast.other_tenant)))
    assert "Nur bei Nordhaus" not in json.dumps(told(export_of(client, cast.tenant)))


def test_a_company_one_does_not_belong_to_exports_nothing(cast: Cast) -> None:
    assert export_of(signed_in(cast.renter), cast.other_tenant).status_code == 404
    assert not AuditEntry.objects.filter(verb="exported").exists()


def test_who_belongs_to_no_company_is_offered_nothing(cast: Cast) -> None:
    assert offered(cast.operator) == []
    assert "/app/profile/export/" not in signed_in(cast.operator).get(PROFILE).content.decode()


def test_who_owes_a_second_step_gets_no_data(cast: Cast) -> None:
    Organization.objects.filter(pk=cast.tenant.pk).update(enforces_second_factor=True)
    assert offered(cast.renter) == []
    assert export_of(signed_in(cast.renter), cast.tenant)["Location"].startswith("/app/profile/second-factor")
    assert not AuditEntry.objects.filter(verb="exported").exists()


def test_a_link_does_not_take_data_away(cast: Cast) -> None:
    assert signed_in(cast.renter).get(f"{PROFILE}/export/{cast.tenant.pk}").status_code == 405


def test_archives_are_drawn_a_few_times_a_minute(cast: Cast) -> None:
    client = signed_in(cast.renter)
    answers = [export_of(client, cast.tenant) for _ in range(2 * PER_MINUTE + 1)]
    assert answers[0].status_code == 200 and answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    for answer in answers:
        answer.close()
