"""The pages of a resident who administers a group: hers alone, and as far as the company's switches go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.services import rows
from docms.models import GroupMember
from docms.services.groups import derived_group
from messaging.models import Message
from orgs.models import License, Membership, User
from tests.docms.door import make_group, settings_of
from tests.docms.door import signed_in as calling
from tests.docms.test_api_groupadmin import EVERY_SWITCH, FLAG_SWITCHES
from tests.portal.pages import queries_of, signed_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Cast

pytestmark = pytest.mark.django_db
NEW = {"name": "Neu, Nina", "email": "neu@example.org", "username": "neu", "language": "de"}


class Board:
    """A group of owner, renter and additional user that the owner administers, a second of hers, and one of others."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        admin = calling(cast.admin, cast.tenant)
        people = (cast.owner.pk, cast.renter.pk, cast.additional.pk)
        self.group = make_group(admin, "Beirat", *people, groupadmin_ids=[cast.owner.pk])
        self.second = make_group(admin, "Garten", cast.owner.pk, cast.staff.pk, groupadmin_ids=[cast.owner.pk])
        self.other = make_group(admin, "Andere", cast.neighbour.pk, cast.guest.pk, groupadmin_ids=[cast.guest.pk])
        settings_of(cast, **dict.fromkeys(EVERY_SWITCH, True))
        self.chief = signed_in(cast.owner)
        self.url = f"/app/groups/{self.group}"
        self.renter = f"{self.url}/people/{cast.renter.pk}"

    def people(self, group: int = 0) -> set[int]:
        found = GroupMember.objects.filter(group=group or self.group)
        return set(found.values_list("membership__user_id", flat=True))

    def ways(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Every page and what it takes."""
        return [
            ("get", self.url, {}), ("post", f"{self.url}/add", {"user_id": self.cast.staff.pk}),
            ("get", f"{self.url}/new", {}), ("post", f"{self.url}/new", NEW), ("get", self.renter, {}),
            ("post", self.renter, form_of(self, description="x")), ("post", self.renter, {"do": "send_link"}),
            ("get", f"{self.renter}/remove", {}), ("post", f"{self.renter}/remove", {}),
        ]  # fmt: skip


@pytest.fixture
def board(cast: Cast) -> Board:
    return Board(cast)


def form_of(board: Board, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the renter's page, as it is filled in, with changes; a box not ticked is not sent."""
    form = board.chief.get(board.renter).context["form"]
    values = {name: form.initial[name] for name in form.fields} | changes
    return {name: value for name, value in values.items() if value is not False}


def text_of(client: Client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return response.content.decode()


# --- Who ------------------------------------------------------------------------------------------------


def test_the_groups_that_one_administers_are_listed_with_their_people(board: Board) -> None:
    derived = derived_group(tenant=board.cast.tenant, unit=board.cast.occupancy("owner").unit)
    calling(board.cast.admin, board.cast.tenant).ok(
        "PUT", f"/groups/{derived.pk}", {"groupadmin_ids": [board.cast.owner.pk]}
    )
    circles = board.chief.get("/app/groups").context["circles"]
    numbers = {circle.group.pk: circle.number for circle in circles}
    people = board.chief.get(f"/app/groups/{derived.pk}").context["people"]
    assert numbers == {board.group: 3, board.second: 2, derived.pk: people.paginator.count}
    assert people.paginator.count > 0
    page = text_of(board.chief, board.url)
    assert str(board.cast.renter) in page
    assert str(board.cast.neighbour) not in page


@pytest.mark.parametrize("who", ["renter", "neighbour", "guest", "admin", "stranger"])
def test_for_everybody_else_the_group_is_not_there(board: Board, who: str) -> None:
    client = signed_in(getattr(board.cast, who))
    before = board.people()
    for method, url, data in board.ways():
        assert getattr(client, method)(url, data).status_code == 404, url
    assert board.people() == before
    assert not User.objects.filter(email=NEW["email"]).exists()
    assert client.get("/app/groups").status_code == (200 if who == "guest" else 403)


def test_people_of_other_groups_are_not_there(board: Board) -> None:
    for user in (board.cast.neighbour, board.cast.staff, board.cast.foreigner):
        for suffix in ("", "/remove"):
            assert board.chief.get(f"{board.url}/people/{user.pk}{suffix}").status_code == 404
            assert board.chief.post(f"{board.url}/people/{user.pk}{suffix}").status_code == 404


@pytest.mark.parametrize("on", [True, False])
def test_profile_and_the_page_without_a_home_lead_there_while_it_is_switched_on(board: Board, on: bool) -> None:
    settings_of(board.cast, groupadmin_active=on)
    guest = signed_in(board.cast.guest)
    assert ("/app/groups" in text_of(board.chief, "/app/profile")) is on
    assert ("/app/groups" in text_of(guest, "/app/")) is on
    assert "/app/groups" not in text_of(signed_in(board.cast.renter), "/app/profile")


# --- Switches -------------------------------------------------------------------------------------------


OFF = "Die Gruppenverwaltung ist ausgeschaltet."


@pytest.mark.parametrize("path", ["", "/{group}", "/{group}/new"])
def test_why_nothing_works_is_a_sentence_on_pages(board: Board, path: str) -> None:
    url = f"/app/groups{path}".format(group=board.group)
    settings_of(board.cast, groupadmin_active=False)
    page = text_of(board.chief, url, 403)
    assert OFF in page
    assert "FEATURE" not in page and "feature_disabled" not in page
    settings_of(board.cast, groupadmin_active=True)
    rows.create(License, organization=board.cast.tenant, features=[1, 2], valid_until=None)
    assert "nicht lizenziert" in text_of(board.chief, url, 403)


def test_who_administers_no_group_reads_that_and_nothing_of_switches(board: Board) -> None:
    settings_of(board.cast, groupadmin_active=False)
    page = text_of(signed_in(board.cast.renter), "/app/groups", 403)
    assert "Sie verwalten keine Gruppe." in page and OFF not in page


@pytest.mark.rule("DOCMS-067")
def test_nothing_works_while_it_is_switched_off_or_not_licensed(board: Board) -> None:
    ways = board.ways()
    settings_of(board.cast, groupadmin_active=False)
    before = board.people()
    for method, url, data in [*ways, ("get", "/app/groups", {})]:
        assert getattr(board.chief, method)(url, data).status_code == 403, url
    settings_of(board.cast, groupadmin_active=True)
    rows.create(License, organization=board.cast.tenant, features=[1, 2], valid_until=None)
    for method, url, data in [*ways, ("get", "/app/groups", {})]:
        assert getattr(board.chief, method)(url, data).status_code == 403, url
    assert "/app/groups" not in text_of(board.chief, "/app/profile")
    assert board.people() == before


@pytest.mark.rule("DOCMS-069")
@pytest.mark.parametrize("on", [True, False])
def test_people_are_made_with_the_switch_alone(board: Board, on: bool) -> None:
    settings_of(board.cast, **dict.fromkeys(EVERY_SWITCH, not on) | {"groupadmin_active": True})
    settings_of(board.cast, groupadmin_user_create=on)
    assert (f"{board.url}/new" in text_of(board.chief, board.url)) is on
    response = board.chief.post(f"{board.url}/new", NEW)
    assert response.status_code == (302 if on else 403)
    made = User.objects.filter(email=NEW["email"]).first()
    assert (made is not None and made.pk in board.people()) is on
    assert Message.objects.filter(kind="password_init").exists() is on


@pytest.mark.rule("DOCMS-070")
@pytest.mark.parametrize("on", [True, False])
def test_people_and_members_are_changed_with_the_switch_alone(board: Board, on: bool) -> None:
    filled = form_of(board, description="Beirat")
    flags = {name for name in filled if name.endswith("_perm")}
    settings_of(board.cast, **dict.fromkeys(EVERY_SWITCH, not on) | {"groupadmin_active": True})
    settings_of(board.cast, groupadmin_user_edit=on)
    page = text_of(board.chief, board.url)
    assert (f"{board.renter}/remove" in page) is on
    assert (f"{board.url}/add" in page) is on
    assert (board.cast.renter.email in page) is on
    assert ("form" in page and 'name="description"' in text_of(board.chief, board.renter)) is on
    filled = {name: value for name, value in filled.items() if name not in flags}
    assert board.chief.post(board.renter, filled).status_code == (302 if on else 403)
    assert (board.cast.membership("renter").description == "Beirat") is on
    assert board.chief.post(f"{board.url}/add", {"user_id": board.cast.staff.pk}).status_code == (302 if on else 403)
    assert (board.cast.staff.pk in board.people()) is on
    assert board.chief.post(f"{board.renter}/remove").status_code == (302 if on else 403)
    assert (board.cast.renter.pk not in board.people()) is on


@pytest.mark.rule("DOCMS-071", "DOCMS-072", "DOCMS-073")
@pytest.mark.parametrize("do", ["send_link", "reset_second_factor", "reset_attempts"])
@pytest.mark.parametrize("on", [True, False])
def test_each_button_has_its_switch(board: Board, do: str, on: bool) -> None:
    from tests.docms.test_api_groupadmin import SWITCHES

    settings_of(board.cast, **dict.fromkeys(EVERY_SWITCH, not on) | {"groupadmin_active": True, SWITCHES[do]: on})
    assert (f'value="{do}"' in text_of(board.chief, board.renter)) is on
    assert board.chief.post(board.renter, {"do": do}).status_code == (302 if on else 403)
    if do == "send_link":
        assert Message.objects.filter(kind__startswith="password").exists() is on


def test_while_no_switch_is_on_people_have_no_page(board: Board) -> None:
    settings_of(board.cast, **dict.fromkeys(EVERY_SWITCH, False) | {"groupadmin_active": True})
    assert board.renter not in text_of(board.chief, board.url)
    assert board.chief.get(board.renter).status_code == 403


@pytest.mark.parametrize("flag", FLAG_SWITCHES)
def test_a_permission_is_drawn_and_taken_with_its_switch_alone(board: Board, flag: str) -> None:
    settings_of(board.cast, **dict.fromkeys(FLAG_SWITCHES.values(), False) | {FLAG_SWITCHES[flag]: True})
    form = board.chief.get(board.renter).context["form"]
    assert form.fields.keys() & FLAG_SWITCHES.keys() == {flag}
    before = getattr(board.cast.membership("renter"), flag)
    assert board.chief.post(board.renter, form_of(board, **{flag: not before})).status_code == 302
    assert getattr(Membership.objects.get(pk=board.cast.membership("renter").pk), flag) is not before


@pytest.mark.parametrize("flag", FLAG_SWITCHES)
def test_a_permission_whose_switch_was_turned_meanwhile_is_an_error_at_its_field(board: Board, flag: str) -> None:
    """Nothing of the rest is lost, and saved again it goes through: what the browser then sends has no such field."""
    rows.change(board.cast.membership("renter"), {flag: False})
    filled = form_of(board, description="Beirat") | {flag: "on"}
    settings_of(board.cast, **{FLAG_SWITCHES[flag]: False})
    for url, data in ((board.renter, filled), (f"{board.url}/new", NEW | {flag: "on"})):
        response = board.chief.post(url, data)
        assert response.status_code == 422
        form = response.context["form"]
        assert form.errors.keys() == {flag}
        assert form[flag].field.disabled and not form[flag].value()
        assert form["name"].value() == data["name"]
    assert not Membership.objects.get(pk=board.cast.membership("renter").pk).description
    assert not User.objects.filter(email=NEW["email"]).exists()
    del filled[flag]
    assert board.chief.post(board.renter, filled).status_code == 302
    after = Membership.objects.get(pk=board.cast.membership("renter").pk)
    assert (after.description, getattr(after, flag)) == ("Beirat", False)


@pytest.mark.parametrize("flag", FLAG_SWITCHES)
def test_a_permission_that_stays_as_it_is_keeps_nobody_from_saving(board: Board, flag: str) -> None:
    rows.change(board.cast.membership("renter"), {flag: True})
    filled = form_of(board, description="Beirat")
    assert filled[flag]
    settings_of(board.cast, **{FLAG_SWITCHES[flag]: False})
    assert board.chief.post(board.renter, filled).status_code == 302
    after = Membership.objects.get(pk=board.cast.membership("renter").pk)
    assert (after.description, getattr(after, flag)) == ("Beirat", True)


@pytest.mark.rule("DOCMS-085")
def test_locked_permissions_are_not_drawn_and_refused(board: Board) -> None:
    settings_of(board.cast, lock_perm=True)
    assert not board.chief.get(board.renter).context["form"].fields.keys() & FLAG_SWITCHES.keys()
    response = board.chief.post(board.renter, form_of(board) | {"log_perm": "on"})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"log_perm"}
    assert not Membership.objects.get(pk=board.cast.membership("renter").pk).log_perm


@pytest.mark.rule("DOCMS-082")
def test_administrators_are_out_of_reach_and_not_made(board: Board) -> None:
    assert board.chief.post(board.renter, form_of(board) | {"admin_perm": "on"}).status_code == 403
    filled = form_of(board)
    rows.change(board.cast.membership("renter"), {"role": "staff", "admin_perm": True})
    assert f'href="{board.renter}"' not in text_of(board.chief, board.url)
    assert board.chief.get(board.renter).status_code == 403
    for data in (filled | {"description": "x"}, {"do": "send_link"}):
        assert board.chief.post(board.renter, data).status_code == 403


# --- Forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": ""}, "name"), ({"email": "neu@"}, "email"), ({"username": ""}, "username"), ({"name": "A\x07B"}, "name"),
     ({"username": "x" * 151}, "username"), ({"username": "x@elsewhere.test"}, "username"), ({"language": "xx"}, "language")],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_made(board: Board, wrong: dict[str, str], field: str) -> None:
    response = board.chief.post(f"{board.url}/new", NEW | wrong)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}
    assert board.people() == {board.cast.owner.pk, board.cast.renter.pk, board.cast.additional.pk}
    response = board.chief.post(board.renter, form_of(board) | wrong)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {field}


def test_a_name_or_address_that_is_taken_stays_in_the_form(board: Board) -> None:
    taken = {"email": board.cast.neighbour.email}
    for url, data in ((f"{board.url}/new", NEW | taken), (board.renter, form_of(board) | taken)):
        response = board.chief.post(url, data)
        assert response.status_code == 422
        assert response.context["form"].non_field_errors()
        assert response.context["form"]["email"].value() == board.cast.neighbour.email


def test_an_account_of_another_company_is_taken_as_it_is(board: Board) -> None:
    stranger = board.cast.foreigner
    wish = {"name": "Anders", "email": stranger.email, "username": stranger.username, "language": "de"}
    assert board.chief.post(f"{board.url}/new", wish).status_code == 302
    assert stranger.pk in board.people()
    url = f"{board.url}/people/{stranger.pk}"
    assert not board.chief.get(url).context["form"].fields.keys() & {"name", "email", "username", "language"}
    assert board.chief.post(url, {"description": "x", "email": "boese@example.org"}).status_code == 403
    assert board.chief.post(url, {"do": "send_link"}).status_code == 403


def test_a_person_is_changed_and_nothing_else(board: Board) -> None:
    before = board.cast.membership("renter")
    name = {"name": "Roth, Rita", "email": "rita@example.org", "username": "rita"}
    response = board.chief.post(board.renter, form_of(board, **name))
    assert response.status_code == 302, response.context["form"].errors
    user = User.objects.get(pk=board.cast.renter.pk)
    assert (user.last_name, user.first_name, user.email) == ("Roth", "Rita", "rita@example.org")
    after = Membership.objects.get(pk=before.pk)
    assert after.row_version == before.row_version


@pytest.mark.rule("DOCMS-084")
def test_who_administers_the_group_stays_in_it(board: Board) -> None:
    own = f"{board.url}/people/{board.cast.owner.pk}/remove"
    assert own not in text_of(board.chief, board.url)
    assert board.chief.post(own).status_code == 403
    assert board.cast.owner.pk in board.people()


def test_one_is_asked_before_somebody_is_taken_out(board: Board) -> None:
    assert str(board.cast.renter) in text_of(board.chief, f"{board.renter}/remove")
    assert board.cast.renter.pk in board.people()
    assert board.chief.post(f"{board.renter}/remove").status_code == 302
    assert board.people() == {board.cast.owner.pk, board.cast.additional.pk}
    assert User.objects.filter(pk=board.cast.renter.pk).exists()


@pytest.mark.rule("DOCMS-068")
@pytest.mark.parametrize("wish", ["neighbour", "foreigner", "²", "", "0"])
def test_only_people_of_ones_own_groups_are_put_in(board: Board, wish: str) -> None:
    offered = {member.user_id for member in board.chief.get(board.url).context["candidates"]}
    assert offered == {board.cast.staff.pk}
    person = getattr(board.cast, wish).pk if wish.isalpha() else wish
    before = board.people()
    assert board.chief.post(f"{board.url}/add", {"user_id": person}).status_code in (302, 400, 422)
    assert board.people() == before


def with_many(board: Board, number: int) -> list[User]:
    """So many people more in the second group, who can be put into the first."""
    many = [
        User(username=f"p{n:03}", email=f"p{n:03}@elsewhere.test", last_name=f"Person{n:03}") for n in range(number)
    ]
    User.objects.bulk_create(many)
    cast = board.cast
    places = [Membership(user=user, organization=cast.tenant, tenant=cast.tenant, role="guest") for user in many]
    Membership.objects.bulk_create(places)
    GroupMember.objects.bulk_create(
        GroupMember(tenant=cast.tenant, group_id=board.second, membership=place) for place in places
    )
    return many


def offered(board: Board, words: str = "") -> list[str]:
    return [str(member) for member in board.chief.get(board.url, {"q": words} if words else {}).context["candidates"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [("zolkiew", True), ("ŻÓŁKIEWSKI", True), ("ski hel", True), ("helene.z@", True), ("Helene Anders", False), ("%", False),
     ("_", False), ("\x00", True)],
)  # fmt: skip
def test_people_to_put_in_are_found_by_name_and_address(board: Board, words: str, found: bool) -> None:
    name = {"first_name": "Hélène", "last_name": "Żółkiewski", "username": "hz", "email": "helene.z@quartier.test"}
    rows.change(board.cast.staff, name)
    assert offered(board, words) == (["Hélène Żółkiewski"] if found else [])


def test_people_stand_in_the_order_of_a_dictionary(board: Board) -> None:
    for user, name in zip(with_many(board, 4), ("Özdemir", "Zander", "oslo", "Peters"), strict=True):
        rows.change(user, {"last_name": name})
    assert [name for name in offered(board) if name != str(board.cast.staff)] == ["oslo", "Özdemir", "Peters", "Zander"]


def test_many_people_are_bounded_and_the_rest_is_found_by_typing(board: Board) -> None:
    many = with_many(board, 60)
    page = text_of(board.chief, board.url)
    assert len(offered(board)) == 50
    assert "Nur die ersten 50 Personen" in page
    assert offered(board, "person059") == ["Person059"]
    response = board.chief.post(f"{board.url}/add", {"user_id": many[59].pk, "q": "person05"})
    assert response.headers["Location"] == f"{board.url}?q=person05"
    assert many[59].pk in board.people()
    response = board.chief.post(f"{board.url}/add", {"user_id": many[58].pk, "q": "person058"})
    assert response.headers["Location"] == board.url  # nobody else is found with that
    assert "Nichts gefunden zu „person059“" in text_of(board.chief, f"{board.url}?q=person059")


def test_a_search_for_people_costs_the_same_for_few_and_many(board: Board) -> None:
    urls = (board.url, f"{board.url}?q=e")
    with_many(board, 1)
    few = [queries_of(board.chief, url) for url in urls]
    User.objects.filter(username="p000").update(username="q", email="q@elsewhere.test")
    with_many(board, 60)
    assert [queries_of(board.chief, url) for url in urls] == few


@pytest.mark.rule("DOCMS-082")
def test_the_address_of_an_administrator_is_neither_shown_nor_found(board: Board) -> None:
    rows.change(board.cast.membership("staff"), {"admin_perm": True})
    rows.change(board.cast.staff, {"email": "geheim@quartier.test", "username": "g", "first_name": "Anna"})
    assert offered(board, "anna") == [str(board.cast.staff)]
    assert offered(board, "geheim") == []
    assert "geheim@" not in text_of(board.chief, board.url)
    assert board.chief.post(f"{board.url}/add", {"user_id": board.cast.staff.pk}).status_code == 302
    assert "geheim@" not in text_of(board.chief, board.url)
    place = board.cast.membership("staff")
    GroupMember.objects.filter(group=board.group, membership=place).update(is_admin=True)
    assert "geheim@" not in text_of(board.chief, board.url)


def test_nobody_searches_among_people_who_may_not_be_put_in(board: Board) -> None:
    settings_of(board.cast, groupadmin_user_edit=False)
    page = board.chief.get(f"{board.url}?q={board.cast.staff.email}")
    assert not page.context["candidates"]
    assert 'name="q"' not in page.content.decode().split("<main", 1)[1]


def test_people_of_a_derived_group_are_seen_and_not_chosen(board: Board) -> None:
    derived = derived_group(tenant=board.cast.tenant, unit=board.cast.unit_b1)
    admin = calling(board.cast.admin, board.cast.tenant)
    admin.ok("PUT", f"/groups/{derived.pk}", {"groupadmin_ids": [board.cast.neighbour.pk]})
    client, url = signed_in(board.cast.neighbour), f"/app/groups/{derived.pk}"
    page = text_of(client, url)
    assert f"{url}/new" not in page
    assert f"{url}/add" not in page
    assert client.post(f"{url}/new", NEW).status_code == 422
    assert not User.objects.filter(email=NEW["email"]).exists()


def test_pages_cost_the_same_for_few_and_many(board: Board) -> None:
    few = [queries_of(board.chief, url) for url in ("/app/groups", board.url)]
    admin = calling(board.cast.admin, board.cast.tenant)
    people = [board.cast.owner, board.cast.renter, board.cast.additional, board.cast.guest, board.cast.neighbour]
    admin.ok("PUT", f"/groups/{board.group}", {"user_ids": [user.pk for user in people]})
    for name in ("Dritte", "Vierte"):
        make_group(admin, name, board.cast.owner.pk, board.cast.staff.pk, groupadmin_ids=[board.cast.owner.pk])
    assert [queries_of(board.chief, url) for url in ("/app/groups", board.url)] == few
