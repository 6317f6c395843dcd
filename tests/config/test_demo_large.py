"""The large demo is written by COPY; its rows are those that the services write for the same things."""

from __future__ import annotations

import io
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

import docms.demo_large
import orgs.demo
import orgs.demo_large
from core import scope
from core.models import AuditEntry
from core.services import rows
from docms.demo_large import papers
from docms.models import Document, DocumentIndex, Folder, Group, ReadMark
from docms.services import documents, folders, groups, indexing, marks, notify
from orgs.actor import actor_for, enter
from orgs.models import (
    Community,
    CommunityAssignment,
    Contact,
    Membership,
    Occupancy,
    Organization,
    Responsibility,
    Unit,
    User,
)
from orgs.services import contacts, occupancies, register
from orgs.services.accounts import create_account
from tests.servers import owner
from tests.tables import truncate_all

SIZES = {"communities": 2, "residents": 20, "folders": 24, "groups": 11, "documents": 60}
SEED = 3
# Each row of the audit is made by the services alone; the command writes one for each table.
UNCOMPARED = {AuditEntry}
RANDOM = {"uuid", "password", "storage_key"}


def large(**options: Any) -> str:
    out = io.StringIO()
    call_command("demo", scale="large", seed=SEED, stdout=out, **{**SIZES, **options})
    return out.getvalue()


@pytest.fixture
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TRYOUT = True
    monkeypatch.setattr(docms.demo_large, "KINDS", docms.demo_large.KINDS[:2])
    monkeypatch.setattr(docms.demo_large, "READ", 3)


# --- Rows without what must differ ------------------------------------------------------------------------


class Names:
    """Every row by a name that does not depend on its key."""

    def __init__(self) -> None:
        self.of: dict[type[models.Model], dict[Any, str]] = defaultdict(dict)
        for model, name in (
            (Organization, lambda o: o.name),
            (User, lambda u: u.email),
            (Membership, lambda m: f"{m.user.email} in {m.organization}"),
            (Community, lambda c: c.identifier),
            (Unit, lambda u: f"{u.community.identifier}/{u.identifier}"),
            (Contact, lambda c: c.number),
            (Group, lambda g: g.name),
            (Folder, lambda f: f.full_path_name),
        ):
            self.of[model] = {row.pk: name(row) for row in model._default_manager.all()}
        for number, document in enumerate(Document.objects.order_by("id")):
            self.of[Document][document.pk] = f"document {number}"

    def reference(self, field: models.ForeignKey[Any, Any], value: Any) -> Any:
        model = field.related_model
        if value is None or model not in self.of:
            return value if value is None else str(model._base_manager.get(pk=value))
        return self.of[model][value]

    def key(self, text: str) -> str:
        """``u:17:owner`` with the unit's name."""
        letter, pk, *role = text.split(":")
        return ":".join([letter, self.of[{"c": Community, "u": Unit}[letter]][int(pk)], *role])


def written() -> dict[str, list[dict[str, Any]]]:
    """The rows of every table that holds any, in the order of their keys."""
    with scope.unit_of_work(door="test"):
        names = Names()
        found = {}
        for app in ("core", "orgs", "messaging", "docms"):
            for model in apps.get_app_config(app).get_models():
                if model not in UNCOMPARED:
                    table = [_row(row, names) for row in model._base_manager.order_by("pk")]
                    if table:
                        found[model._meta.label] = sorted(table, key=str)
        return found


def _row(row: models.Model, names: Names) -> dict[str, Any]:
    shown = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(field, models.ForeignKey):  # the key of an index row, too
            shown[field.name] = names.reference(field, value)
        elif field.primary_key or field.name in RANDOM:
            continue
        elif isinstance(field, models.DateTimeField):
            shown[field.name] = value is not None  # set or not: when, differs
        elif field.name == "ancestors":
            shown[field.name] = [names.of[type(row)][pk] for pk in value]
        elif field.name == "audience_key":
            shown[field.name] = value and names.key(value)
        elif field.name == "document_id":
            shown[field.name] = names.of[Document][value]
        else:
            shown[field.name] = bytes(value) if isinstance(value, memoryview) else value
    return shown


# --- The same things, by the services -----------------------------------------------------------------------


@dataclass
class Plan:
    """What the COPY wrote, told in words: names of things and what belongs to what, nothing that services derive."""

    groups: list[dict[str, Any]]
    folders: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    marks: list[tuple[int, str]]

    @classmethod
    def read(cls) -> Plan:
        with scope.unit_of_work(door="test"):
            numbers = {pk: n for n, pk in enumerate(Document.objects.order_by("id").values_list("id", flat=True))}
            return cls(
                [
                    {
                        "name": g.name, "role": g.role, "kind": g.kind,
                        "community": g.community and g.community.identifier,
                        "unit": g.unit and (g.unit.community.identifier, g.unit.identifier),
                        "people": [m.membership.user.email for m in g.members.order_by("id")],
                    }
                    for g in Group.objects.order_by("id")
                ],
                [
                    {
                        "name": f.name, "parent": f.parent and f.parent.full_path_name, "path": f.full_path_name,
                        "community": f.community and f.community.identifier,
                        "unit": f.unit and (f.unit.community.identifier, f.unit.identifier),
                        "groups": [a.group.name for a in f.access.order_by("id")],
                        "labels": [(label.name, label.color) for label in f.labels.all()],
                    }
                    for f in Folder.objects.order_by("id")
                ],
                [
                    {
                        "folder": d.folder.full_path_name, "title": d.title, "filename": d.filename,
                        "sha256": bytes(d.current.blob.sha256), "label": d.label and d.label.name,
                    }
                    for d in Document.objects.select_related("current__blob", "folder", "label").order_by("id")
                ],
                [(numbers[m.document_id], m.membership.user.email) for m in ReadMark.objects.order_by("id")],
            )  # fmt: skip


def by_services(plan: Plan) -> None:
    """The world of the plan."""
    company = orgs.demo.company()
    tenant = company.tenant
    clerk = contacts.contact_for(company.staff, tenant)
    blobs = {bytes(paper.blob.sha256): paper.blob for paper in papers(company)}
    lines = orgs.demo_large.register(SEED, communities=SIZES["communities"], residents=SIZES["residents"])
    register.import_rows(lines, tenant=tenant)
    for contact in Contact.objects.exclude(reference_id="").order_by("id"):
        user = create_account(
            email=contact.email, first_name=contact.first_name, last_name=contact.last_name,
            language=contact.language, password=orgs.demo.PASSWORD,
        )  # fmt: skip
        contacts.link_account(contact, user)
        contact.refresh_from_db()
        occupancies.seat(contact)
    houses = {c.identifier: c for c in Community.objects.order_by("id")}
    flats = {(u.community.identifier, u.identifier): u for u in Unit.objects.select_related("community")}
    for number, house in enumerate(houses.values()):
        rows.create(
            Responsibility, tenant=tenant, contact=clerk, community=house, type="MANAGER", title="Ihre Verwaltung",
            position=1, show_on_dashboard=True, publish_email=True, publish_telephone=True,
            period=occupancies.period(None, None),
        )  # fmt: skip
        if number < 2:
            rows.create(CommunityAssignment, tenant=tenant, membership=company.clerk, community=house)
    actor = enter(company.admin, door="test", tenant_id=tenant.pk)
    circles: dict[str, Group] = {}
    for g in plan.groups:
        if g["kind"] == "manual":
            ids = User.objects.filter(email__in=g["people"]).values_list("id", flat=True)
            made = groups.create_group(actor=actor, tenant=tenant, name=g["name"], user_ids=ids)
        else:
            place = {"unit": flats[g["unit"]]} if g["unit"] else {"community": houses[g["community"]]}
            made = groups.derived_group(tenant=tenant, role=g["role"], **place)
        circles[made.name] = made
    tree: dict[str, Folder] = {}
    for f in plan.folders:
        above = tree.get(f["parent"])
        place = {"community": houses[f["community"]]} if above is None else {}
        if f["unit"] and (above is None or above.unit_id is None):
            place["unit"] = flats[f["unit"]]
        tree[f["path"]] = folders.create_folder(
            actor=actor, tenant=tenant, name=f["name"], parent=above, labels=f["labels"],
            group_ids=[circles[name].pk for name in f["groups"]], **place,
        )  # fmt: skip
    published = []
    for d in plan.documents:
        document = documents.publish(
            actor=actor, folder=tree[d["folder"]], blob=blobs[d["sha256"]], filename=d["filename"], title=d["title"],
            label_name=d["label"],
        )  # fmt: skip
        notify.announce(document.pk)
        indexing.index_content(document.pk)
        published.append(document.pk)
    for number, email in plan.marks:
        reader = actor_for(User.objects.get(email=email), door="test", tenant_id=tenant.pk)
        marks.mark_read(document_id=published[number], actor=reader)


@pytest.mark.django_db(transaction=True)
def test_rows_written_by_copy_are_those_of_the_services(quick: None) -> None:
    assert "60 documents" in large()
    copied, plan = written(), Plan.read()
    truncate_all()
    with scope.unit_of_work(door="test"):
        by_services(plan)
    served = written()
    assert copied.keys() == served.keys()
    for table, found in copied.items():
        assert found == served[table], table
    assert {"orgs.Occupancy", "orgs.ContactIndex", "docms.DocumentIndex", "docms.DocumentLog", "docms.FolderAccess",
            "docms.GroupMember", "docms.ReadMark", "core.NumberCounter"} <= copied.keys()  # fmt: skip


# --- Sizes, statistics, refusals -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_large_demo_has_the_sizes_asked_for_and_people_reach_their_papers(quick: None) -> None:
    large()
    with scope.unit_of_work(door="test"):
        tenant = Organization.objects.get(name="Brandt & Keller Hausverwaltung")
        counted = {
            "communities": Community.objects.count(),
            "residents": Occupancy.objects.valid_on(tenant.today()).count(),
            "folders": Folder.objects.count(),
            "groups": Group.objects.count(),
            "documents": Document.objects.count(),
        }
        assert counted == SIZES
        assert DocumentIndex.objects.count() == SIZES["documents"]
        assert not Document.objects.filter(notified_at=None).exists()
        renter = actor_for(User.objects.get(email="renter@demo.test"), door="test", tenant_id=tenant.pk)
        seen = set(Document.objects.visible_to(renter).values_list("folder__name", flat=True))
        assert {"Hausordnung", "Mietersachen"} <= seen
        assert not {"Versammlungen", "Beirat", "Einheiten"} & seen
        found = Document.objects.search(renter, "Hausordnung").count()
        assert 0 < found < Document.objects.filter(title__startswith="Hausordnung").count()
        assert Document.objects.visible_to(renter).unread_by(renter.membership(tenant.pk).pk).exists()
        imported = dict(AuditEntry.objects.filter(verb="imported").values_list("object_type", "changes"))
    assert imported["docms.document"] == {"rows": [None, SIZES["documents"]]}


@pytest.mark.django_db(transaction=True)
def test_after_the_copy_every_index_and_reference_is_there_again(quick: None) -> None:
    def schema() -> list[Any]:
        with owner() as connection:
            return connection.execute(
                """
                SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
                UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes ORDER BY 1, 2, 3
                """
            ).fetchall()

    before = schema()
    large()
    assert schema() == before
    with owner() as connection:
        known = "SELECT n_live_tup, last_analyze FROM pg_stat_user_tables WHERE relname = 'docms_document'"
        assert connection.execute(known).fetchone()[1] is not None


@pytest.mark.django_db(transaction=True)
def test_the_same_seed_makes_the_same_world() -> None:
    sizes = {name: SIZES[name] for name in ("communities", "residents")}
    one, two, other = (list(orgs.demo_large.register(seed, **sizes)) for seed in (3, 3, 4))
    assert one == two
    assert one != other


@pytest.mark.django_db(transaction=True)
def test_nothing_of_a_copy_that_fails_stays(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(docms.demo_large._Documents, "log", broken)
    with pytest.raises(ZeroDivisionError):
        large()
    with scope.unit_of_work(door="test"):
        assert not Document.objects.exists()
        assert not Community.objects.exists()
    with owner() as connection:
        assert connection.execute("SELECT 1 FROM pg_indexes WHERE indexname = 'document_newest'").fetchone()


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "size"), [("folders", 5), ("groups", 3), ("residents", 3), ("communities", 0)])
def test_a_shape_that_cannot_be_is_refused_before_anything_is_written(settings: Any, name: str, size: int) -> None:
    settings.TRYOUT = True
    with pytest.raises(CommandError, match=f"--{name}: "):
        large(**{name: size})
    assert not User.objects.filter(email="operator@demo.test").exists()


@pytest.mark.django_db
def test_the_large_demo_refuses_other_settings_than_the_try_out() -> None:
    with pytest.raises(CommandError, match="try-out"):
        large()
    assert not User.objects.filter(email="operator@demo.test").exists()


@pytest.mark.django_db
def test_the_large_demo_needs_the_owner_of_the_tables(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TRYOUT = True
    monkeypatch.delenv("MIGRATION_DATABASE_URL")
    with pytest.raises(CommandError, match="MIGRATION_DATABASE_URL"):
        large()
    assert not User.objects.filter(email="operator@demo.test").exists()
