"""The tree of organizations in the back office: seen, opened, paged, searched; organizations made, changed, deleted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core import scope
from core.services import rows
from orgs.admin.organization_tree import tree_url
from orgs.models import Membership, Organization, SecondFactor
from orgs.services import members, tree
from orgs.services.tenants import add_member
from tests.core.material import picture
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db
TREE = "/admin/orgs/organization/"


@pytest.fixture
def branch(cast: Cast) -> Organization:
    """A branch of Brandt & Keller."""
    return below(cast, "Filiale Nord")


def below(cast: Cast, name: str, parent: Organization | None = None, who: str = "admin", **values: Any) -> Organization:
    """An organization of Brandt & Keller, below the company unless said otherwise."""
    above = parent or Organization.objects.get(pk=cast.tenant.pk)
    with scope.unit_of_work(door="test"):
        return tree.create(actor=cast.actor(who), parent=above, values={"name": name, **values})


def names(client: Client, query: str = "") -> list[str]:
    """The lines of the tree."""
    page = client.get(f"{TREE}{query}").content.decode()
    return re.findall(r"data-name href=[^>]*>([^<]*)<", page)


def form_of(organization: Organization, **values: Any) -> dict[str, Any]:
    """What the form sends when nothing was changed."""
    return {
        "name": organization.name, "description": organization.description, "language": organization.language,
        "timezone": organization.timezone, "retention_months": organization.retention_months,
        "location_address": organization.location_address, "latitude": "", "longitude": "",
        "expected_version": organization.row_version, **values,
    }  # fmt: skip


def errors(answer: Any) -> dict[str, Any]:
    return dict(answer.context["adminform"].form.errors)


# --- The tree -------------------------------------------------------------------------------------------


def test_one_top_is_open_at_first_and_can_be_closed(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    below(cast, "Team", branch)
    assert names(client) == ["Brandt &amp; Keller", "Filiale Nord"]
    assert names(client, "?open=") == ["Brandt &amp; Keller"]
    assert names(client, f"?open={cast.tenant.pk}&open={branch.pk}") == ["Brandt &amp; Keller", "Filiale Nord", "Team"]
    assert names(client, f"?at={branch.pk}") == ["Team"]


def test_staff_see_what_they_have_a_place_in(cast: Cast, branch: Organization) -> None:
    hidden = below(cast, "Filiale Süd")
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=branch, role="staff")
    client = signed_in(cast.staff)
    assert names(client) == ["Brandt &amp; Keller", "Filiale Nord"]
    assert names(client, "?q=Filiale") == ["Filiale Nord"]
    assert client.get(f"{TREE}{hidden.pk}/change/").status_code == 404
    assert names(signed_in(cast.stranger)) == ["Nordhaus"]


def test_the_operator_sees_all_trees(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.operator)
    assert names(client) == ["Brandt &amp; Keller", "Nordhaus"]
    assert "Filiale Nord" in names(client, f"?open={cast.tenant.pk}")


@pytest.mark.rule("ORGS-075")
def test_without_access_to_a_parent_the_highest_one_is_on_top(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        holding = tree.create(actor=cast.actor("operator"), parent=None, values={"name": "Holding"})
        tree.change(actor=cast.actor("operator"), organization=cast.tenant, values={"parent": holding})
    assert names(signed_in(cast.admin)) == ["Brandt &amp; Keller"]
    assert names(signed_in(cast.operator), "?open=") == ["Holding", "Nordhaus"]


def test_what_one_owns_outside_of_the_company_is_there_too(cast: Cast) -> None:
    with scope.unit_of_work(door="test"):
        tree.create(actor=cast.actor("staff"), parent=None, values={"name": "Verein"})
        tree.create(actor=cast.actor("owner"), parent=None, values={"name": "Fremder Verein"})
    assert names(signed_in(cast.staff)) == ["Brandt &amp; Keller", "Verein"]


def test_a_line_says_state_children_and_staff(cast: Cast, branch: Organization) -> None:
    below(cast, "Team", branch)
    row = re.search(
        rf'<tr id="organization-{branch.pk}".*?</tr>', signed_in(cast.admin).get(TREE).content.decode(), re.DOTALL
    )
    assert row is not None
    cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row[0], re.DOTALL)]
    assert cells[:3] == ["aktiv", "1 unter Filiale Nord", "1"]


def test_a_long_level_is_cut_off_and_paged(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orgs.admin.organization_tree.PAGE", 3)
    for name in "cadbe":
        below(cast, f"Filiale {name}")
    client = signed_in(cast.admin)
    assert names(client)[1:] == ["Filiale a", "Filiale b", "Filiale c"]
    page = client.get(TREE).content.decode()
    assert f"?at={cast.tenant.pk}&amp;p=2" in page
    assert names(client, f"?at={cast.tenant.pk}&p=2") == ["Filiale d", "Filiale e"]


def test_of_too_many_open_branches_the_first_close_and_never_those_above(
    cast: Cast, branch: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgs.admin.organization_tree.OPEN_MAX", 2)
    south = below(cast, "Filiale Süd")
    for one in (branch, south):
        below(cast, "Team", one)
    page = signed_in(cast.admin).get(f"{TREE}?open={cast.tenant.pk}&open={branch.pk}").content.decode()
    assert f"?open={cast.tenant.pk}&amp;open={south.pk}#organization-{south.pk}" in page


def test_the_line_of_a_deep_one_is_reached(cast: Cast, branch: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orgs.admin.organization_tree.OPEN_MAX", 1)
    team = below(cast, "Team", branch)
    assert tree_url(team) == f"{TREE}?at={cast.tenant.pk}&open={branch.pk}#organization-{team.pk}"
    assert names(signed_in(cast.admin), tree_url(team).removeprefix(TREE)) == ["Filiale Nord", "Team"]


def test_the_tree_costs_the_same_for_one_and_for_many(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    before = queries_of(client, TREE)
    for name in ("Süd", "West", "Ost"):
        below(cast, f"Team {name}", below(cast, f"Filiale {name}"))
    opened = "&".join(f"open={pk}" for pk in Organization.objects.values_list("pk", flat=True))
    assert queries_of(client, f"{TREE}?{opened}") == before


def test_nonsense_in_the_address_is_passed_over(cast: Cast) -> None:
    client = signed_in(cast.admin)
    for query in ("?open=²&open=x", "?at=x", "?at=999999999999", "?p=x&at=-1", f"?at={cast.other_tenant.pk}"):
        assert names(client, query)[:1] == ["Brandt &amp; Keller"] or "open" in query, query
        assert client.get(f"{TREE}{query}").status_code == 200


# --- Made, changed, deleted -----------------------------------------------------------------------------


def test_an_owner_adds_one_below_and_stands_at_its_line(cast: Cast) -> None:
    client = signed_in(cast.admin)
    sent = {"name": "Neu", "parent": cast.tenant.pk, "language": "", "timezone": "", "retention_months": 0}
    answer = client.post(f"{TREE}add/", sent)
    made = Organization.objects.get(name="Neu")
    assert answer["Location"].endswith(f"?open={cast.tenant.pk}#organization-{made.pk}")
    assert (made.parent_id, made.tenant_id, made.language) == (cast.tenant.pk, cast.tenant.pk, "de")
    assert Membership.objects.get(organization=made, role="owner").user == cast.admin


def test_staff_without_ownership_add_nothing(cast: Cast) -> None:
    client = signed_in(cast.staff)
    assert client.post(f"{TREE}add/", {"name": "Neu", "parent": cast.tenant.pk}).status_code == 403
    assert b"organization/add" not in client.get(TREE).content
    assert not Organization.objects.filter(name="Neu").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("language", "de_DE"),
        ("retention_months", 1201),
        ("latitude", "50.9"),
        ("timezone", "Europe/Bonn"),
    ],
)
def test_wrong_values_are_errors_of_their_field(cast: Cast, branch: Organization, field: str, value: Any) -> None:
    answer = signed_in(cast.admin).post(f"{TREE}{branch.pk}/change/", form_of(branch, **{field: value}))
    assert errors(answer).keys() == {"longitude" if field == "latitude" else field}
    assert Organization.objects.get(pk=branch.pk).row_version == branch.row_version


def test_all_fields_are_stored(cast: Cast, branch: Organization) -> None:
    values = {
        "name": "Filiale West", "description": "Am Rhein", "language": "fr", "timezone": "Europe/Paris",
        "retention_months": 24, "location_address": "Quai 1", "latitude": "50.5", "longitude": "7",
    }  # fmt: skip
    answer = signed_in(cast.admin).post(f"{TREE}{branch.pk}/change/", form_of(branch, **values, tags="meins"))
    assert answer.status_code == 302
    now = Organization.objects.get(pk=branch.pk)
    assert (now.name, now.description, now.language, now.timezone) == ("Filiale West", "Am Rhein", "fr", "Europe/Paris")
    assert (now.retention_months, now.location_address, now.latitude, now.longitude) == (24, "Quai 1", 50.5, 7.0)
    assert now.tags == []  # the operator's


def test_keywords_are_the_operators(cast: Cast, branch: Organization) -> None:
    assert b'name="tags"' not in signed_in(cast.admin).get(f"{TREE}{branch.pk}/change/").content
    signed_in(cast.operator).post(f"{TREE}{branch.pk}/change/", form_of(branch, tags="groß, neu ,"))
    assert Organization.objects.get(pk=branch.pk).tags == ["groß", "neu"]


def test_a_picture_is_stored_shown_and_taken_away(cast: Cast, branch: Organization) -> None:
    client, url = signed_in(cast.admin), f"{TREE}{branch.pk}/change/"
    client.post(url, form_of(branch, new_picture=SimpleUploadedFile("a.png", picture())))
    now = Organization.objects.select_related("avatar").get(pk=branch.pk)
    assert now.avatar is not None
    assert str(now.avatar.storage_key) in client.get(url).content.decode()
    text = client.post(url, form_of(now, new_picture=SimpleUploadedFile("b.png", b"kein Bild")))
    assert text.status_code == 200
    assert Organization.objects.get(pk=branch.pk).avatar_id == now.avatar_id
    client.post(url, form_of(now, drop_picture="on"))
    assert Organization.objects.get(pk=branch.pk).avatar_id is None


def test_staff_read_and_change_nothing(cast: Cast, branch: Organization) -> None:
    with scope.unit_of_work(door="test"), scope.all_tenants():
        add_member(user=cast.staff, organization=branch, role="staff")
    client, url = signed_in(cast.staff), f"{TREE}{branch.pk}/change/"
    assert b"Filiale Nord" in client.get(url).content
    assert client.post(url, form_of(branch, name="Meins")).status_code == 403
    assert client.post(f"{TREE}{branch.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Organization.objects.get(pk=branch.pk).name == "Filiale Nord"


def test_two_people_do_not_overwrite_each_other(cast: Cast, branch: Organization) -> None:
    sent = form_of(branch, name="Später")
    rows.change(branch, {"name": "Früher"})
    answer = signed_in(cast.admin).post(f"{TREE}{branch.pk}/change/", sent)
    assert list(errors(answer)) == ["__all__"]
    assert Organization.objects.get(pk=branch.pk).name == "Früher"


def test_an_empty_one_is_deleted(cast: Cast, branch: Organization) -> None:
    signed_in(cast.admin).post(f"{TREE}{branch.pk}/delete/", {"post": "yes"})
    assert not Organization.objects.filter(pk=branch.pk).exists()


def test_what_keeps_it_from_going_is_said(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    team = below(cast, "Team", branch)
    answer = client.post(f"{TREE}{branch.pk}/delete/", {"post": "yes"}, follow=True)
    assert "Unter dieser Organisation liegen noch andere." in answer.content.decode()
    rows.change(cast.house_a, {"organization": team}, check=False)
    answer = client.post(f"{TREE}{team.pk}/delete/", {"post": "yes"}, follow=True)
    assert "hängen noch Daten" in answer.content.decode()
    assert Organization.objects.filter(pk__in=[branch.pk, team.pk]).count() == 2


# --- The second factor, down the tree -------------------------------------------------------------------


@pytest.mark.rule("ORGS-054")
def test_without_a_second_factor_an_enforcing_branch_is_shut(cast: Cast, branch: Organization) -> None:
    team = below(cast, "Team", branch)
    rows.change(branch, {"enforces_second_factor": True})
    # An owner from above, whom the branch itself obliges to nothing: only what lies there is shut.
    members.change(membership=cast.membership("staff"), changes={"role": "owner"})
    client = signed_in(cast.staff)
    assert names(client) == ["Brandt &amp; Keller"]
    assert "second-factor" in client.get(TREE).content.decode()
    for page in ("change", "availability", "quick-actions", "move", "token"):
        assert client.get(f"{TREE}{team.pk}/{page}/").status_code == 404, page
    SecondFactor.objects.create(user=cast.staff, secret="x", name="totp", confirmed_at=timezone.now())
    assert names(client) == ["Brandt &amp; Keller", "Filiale Nord"]
    assert "second-factor" not in client.get(TREE).content.decode()


@pytest.mark.rule("ORGS-054")
def test_a_member_who_owes_one_sets_it_up_before_anything_else(cast: Cast, branch: Organization) -> None:
    client = signed_in(cast.admin)
    assert client.get(TREE).status_code == 200
    rows.change(branch, {"enforces_second_factor": True})
    assert client.get(TREE)["Location"].startswith("/app/profile/second-factor")
