"""Row-level security: a query that forgot its filter sees no other tenant's rows."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.utils import ProgrammingError

from core import scope
from core.models import AuditEntry, Blob
from core.services import blobs, many, rows
from core.tenant_policies import WITHOUT_POLICY, bound_tables
from docms.models import Document, DocumentIndex, Folder
from docms.services import documents, folders, groups, marks
from orgs.models import Community, Contact, Occupancy, Unit
from tests.docms.door import signed_in
from tests.factories import folder, manual_group, publish
from tests.servers import owner

if TYPE_CHECKING:
    from tests.cast import Cast

FLOORS = ("core", "orgs", "messaging", "docms", "tickets", "processes", "portal")
BOUND = [model for floor in FLOORS for model in bound_tables(apps, floor)]
ROWS = (Community, Unit, Contact, Occupancy, Folder, Document, Blob, AuditEntry)


@pytest.fixture
def two(cast: Cast) -> Cast:
    """Both companies have a paper that somebody has read."""
    publish(cast, folder(cast, group=manual_group(cast, "Alle", "renter")))
    boss = cast.actor("stranger")
    circle = groups.create_group(actor=boss, tenant=cast.other_tenant, name="Alle", user_ids=[cast.foreigner.pk])
    where = folders.create_folder(actor=boss, tenant=cast.other_tenant, name="Dort", group_ids=[circle.pk])
    blob = blobs.store(io.BytesIO(b"Dort"), tenant_id=cast.other_tenant.pk, limit=100)
    paper = documents.publish(actor=boss, folder=where, blob=blob, filename="dort.txt")
    marks.mark_read(document_id=paper.pk, actor=cast.actor("foreigner"))
    return cast


def tenants_in(model: type[models.Model]) -> set[int | None]:
    """Whose rows a query without any filter finds."""
    return set(model._base_manager.values_list("tenant_id", flat=True))  # type: ignore[attr-defined]


# --- The database itself ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_table_of_a_tenant_has_its_policy() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            """
        )
        with_tenant = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
             WHERE c.relrowsecurity AND p.polcmd = '*' AND pg_get_expr(p.polqual, c.oid) LIKE '%quartier.tenants%'
            """
        )
        with_policy = {row[0] for row in cursor.fetchall()}
    free = {apps.get_model(label)._meta.db_table for label in WITHOUT_POLICY}
    assert with_tenant - with_policy == free
    assert with_policy <= with_tenant
    assert len(with_policy) > 60


@pytest.mark.django_db
def test_the_role_of_web_and_workers_is_bound_by_policies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


# --- Reading ------------------------------------------------------------------------------------------------


def test_a_forgotten_filter_finds_nothing_foreign(two: Cast) -> None:
    for model in ROWS:  # so that there is something to leak
        assert {two.tenant.pk, two.other_tenant.pk} <= tenants_in(model), model
    with scope.unit_of_work(door="web", tenants=[two.tenant.pk]):
        leaks = {model._meta.label: found for model in BOUND if (found := tenants_in(model) - {two.tenant.pk, None})}
        assert leaks == {}
        assert all(tenants_in(model) >= {two.tenant.pk} for model in ROWS)


def test_a_unit_of_work_without_tenants_finds_nothing(two: Cast) -> None:
    with scope.unit_of_work(door="web"):
        assert {model._meta.label for model in BOUND if tenants_in(model) - {None}} == set()


def test_counts_joins_and_raw_sql_are_bound_as_well(two: Cast) -> None:
    with scope.unit_of_work(door="web", tenants=[two.tenant.pk]), connection.cursor() as cursor:
        assert Document.objects.count() == 1
        assert Document.objects.filter(folder__tenant=two.other_tenant).count() == 0
        cursor.execute("SELECT count(*), max(id) FROM docms_document")
        assert cursor.fetchone() == (1, Document.objects.get().pk)
        # The words of all papers lie in a table without policy; it is read through the one that has it.
        assert Document.objects.filter(pk__in=DocumentIndex.objects.values("document")).count() == 1


def test_the_tenants_of_one_transaction_do_not_reach_the_next(two: Cast) -> None:
    """Behind a pooler the next transaction on the connection is somebody else's."""
    with scope.unit_of_work(door="web", tenants=[two.tenant.pk, two.other_tenant.pk]):
        assert Folder.objects.count() == 2
    with scope.unit_of_work(door="web", tenants=[two.other_tenant.pk]):
        assert tenants_in(Folder) == {two.other_tenant.pk}


@pytest.mark.django_db(transaction=True)
def test_after_the_transaction_the_setting_is_gone() -> None:
    def told() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(current_setting('quartier.tenants', true), '')")
            return str(cursor.fetchone()[0])

    before = told()
    with scope.unit_of_work(door="web", tenants=[4711]):
        assert told() == "{4711}"
    assert told() == before


def test_a_unit_within_a_unit_gives_the_tenants_back(two: Cast) -> None:
    with scope.unit_of_work(door="web", tenants=[two.tenant.pk]):
        with scope.unit_of_work(door="web", tenants=[two.other_tenant.pk]):
            assert tenants_in(Folder) == {two.other_tenant.pk}
        assert tenants_in(Folder) == {two.tenant.pk}


# --- Writing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["insert", "insert many", "update", "move", "delete"])
def test_nothing_foreign_is_written(two: Cast, how: str) -> None:
    theirs, mine = Folder.objects.get(tenant=two.other_tenant), Folder.objects.get(tenant=two.tenant)
    with scope.unit_of_work(door="web", tenants=[two.tenant.pk]):
        if how == "insert":
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                rows.create(Folder, tenant=two.other_tenant, name="Fremd", full_path_name="Fremd")
        elif how == "insert many":
            new = Folder(tenant=two.other_tenant, name="Fremd", full_path_name="Fremd", sort_key="fremd")
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                many.insert([new], returning=["id"])
        elif how == "move":
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                Folder.objects.filter(pk=mine.pk).update(tenant=two.other_tenant)
        elif how == "update":
            assert Folder.objects.filter(pk=theirs.pk).update(name="Anders") == 0
        else:
            assert Folder._base_manager.filter(pk=theirs.pk)._raw_delete("default") == 0
    assert Folder.objects.get(pk=theirs.pk).name == "Dort"


# --- Plans ---------------------------------------------------------------------------------------------------


def test_the_lists_read_no_table_from_end_to_end_that_they_look_up_without_policies(two: Cast) -> None:
    """An operator that is not leakproof would not pass the barrier, and its index would lie idle."""
    caller = signed_in(two.renter, two.tenant)
    where = Folder.objects.get(tenant=two.tenant).pk
    asked = [
        ("GET", f"/folders/{where}/files", None), ("GET", "/folders", None), ("GET", "/files/unread", None),
        ("GET", "/favorites/files", None), ("POST", "/files/search", {"search": "hausordnung"}),
    ]  # fmt: skip
    compared = 0
    for method, path, body in asked:
        queries: list[Query] = []

        def listen(execute: Any, sql: str, params: Any, many: bool, context: Any, into: list[Query] = queries) -> Any:
            into.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(listen):
            caller.ok(method, path, body)
        for query in queries:
            if query[0].lstrip().startswith(("SELECT", "WITH")) and "docms_" in query[0]:
                bound, free = plan_bound(query, two.tenant.pk), plan_free(query)
                assert bound.read <= free.read, f"{path}\n{query}"
                assert free.words <= bound.words, f"{path}\n{query}"
                compared += 1
    assert compared >= len(asked)


Query = tuple[str, Any]  # text and values


@dataclass
class Plan:
    """Which tables are read from end to end, and which indexes of words and trigrams are used."""

    read: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def add(self, node: dict[str, Any]) -> Plan:
        """Take a node and what is below it into account."""
        if node["Node Type"] == "Seq Scan":
            self.read.add(node["Relation Name"])
        if node.get("Index Name", "").startswith("document_index"):
            self.words.add(node["Index Name"])
        for below in node.get("Plans", ()):
            self.add(below)
        return self


def explained(raw: psycopg.Connection[Any], query: Query) -> Plan:
    """The plan of a query, had its tables many rows."""
    cursor = psycopg.ClientCursor(raw)
    cursor.execute("SET LOCAL enable_seqscan = off")
    cursor.execute(f"EXPLAIN (FORMAT JSON) {query[0]}", query[1])
    return Plan().add(cursor.fetchone()[0][0]["Plan"])


def plan_bound(query: Query, tenant_id: int) -> Plan:
    """As web and workers ask."""
    with scope.unit_of_work(door="web", tenants=[tenant_id]):
        return explained(connection.connection, query)


def plan_free(query: Query) -> Plan:
    """As the owner of the tables would."""
    with owner() as free, free.transaction():
        return explained(free, query)
