"""`manage.py erase_tenant`: of a company nothing is left but that it was there; its neighbours lose nothing."""

from __future__ import annotations

import datetime
import io
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from config.erasure import company as erasure
from core import scope
from core.errors import Conflict, NotFound
from core.models import AuditEntry, Blob, DestructionRecord
from core.services import rows, sealing, verification
from docms.models import Document
from messaging.models import Message
from orgs.models import (
    AccessToken,
    Community,
    Contact,
    Hold,
    IdentityProvider,
    Membership,
    Organization,
    QuickAction,
    User,
    UserIdentity,
)
from orgs.services import contacts
from orgs.services.tenants import add_member, create_organization
from processes.models import Process
from tests.everyword import tables_that_say
from tests.factories import ProcessFactory, TicketFactory, folder, publish, stored
from tickets.models import Ticket

if TYPE_CHECKING:
    from tests.cast import Cast

NAME = "Brandt & Keller"


def run(cast: Cast, *args: str) -> str:
    out = io.StringIO()
    call_command("erase_tenant", str(cast.tenant.pk), "--confirm", NAME, *args, stdout=out)
    return out.getvalue()


def sizes(tenant: Organization) -> dict[str, int]:
    """How many rows each table has of a company."""
    with scope.unit_of_work(door="test"), scope.all_tenants():
        return {
            model._meta.label: count
            for model in apps.get_models()
            if erasure._columns(model) and (count := erasure.of_company(model, tenant).count())
        }


@pytest.fixture
def company(cast: Cast) -> Cast:
    """Brandt & Keller with papers, tickets, cases, a branch and people who belong elsewhere, too."""
    for number in range(3):
        publish(cast, folder(cast, f"Ordner {number}"), content=b"%%PDF-1.4 geheim %d" % number, title="Geheimpapier")
    child = folder(cast, "Unterordner", parent=folder(cast, "Oberordner"))
    publish(cast, child)
    one = TicketFactory(
        community=cast.house_a, created_by=cast.renter, contact=cast.contact("renter"), title="Wasserrohr"
    )
    TicketFactory(community=cast.house_a, created_by=cast.renter, parent=one, merged_into=one)
    party = cast.contact("renter")
    ProcessFactory(
        subject="Eigentümerwechsel", unit=cast.unit_a2, account=cast.admin, created_by_party=party, contact=party
    )
    TicketFactory(
        community=cast.foreign_house, created_by=cast.foreigner, contact=cast.contact("foreigner"), title="Fremd"
    )
    twin = contacts.create_contact(tenant=cast.tenant, last_name="Zwilling")
    Contact.objects.filter(pk=twin.pk).update(merged_into=cast.contact("renter"))
    branch = create_organization(name="Filiale Süd", parent=cast.tenant, created_by=cast.admin)
    add_member(user=cast.staff, organization=branch, role="staff")
    rows.create(QuickAction, organization=branch, position=0, name="Schnellstart", resource="x")
    add_member(user=cast.guest, organization=cast.other_tenant, role="guest")
    own = IdentityProvider.objects.create(key="own", tenant=cast.tenant, name="Eigene", issuer="https://id.brandt.test")
    UserIdentity.objects.create(user=cast.guest, provider=own, subject="1")
    AccessToken.objects.create(
        organization=cast.tenant, kind="organization", token_hash=b"o" * 32, created_by=cast.admin, name="Kasse"
    )
    return cast


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)


def test_nothing_is_left_but_the_number_the_records_and_the_emptied_history(company: Cast, small_batches: None) -> None:
    before, others = sizes(company.tenant), sizes(company.other_tenant)
    assert {"docms.Document", "tickets.Ticket", "processes.Process", "orgs.Contact", "orgs.Membership"} <= set(before)
    run(company)
    assert set(sizes(company.tenant)) <= {
        "core.AuditEntry", "core.DestructionRecord", "core.Blob", "orgs.Organization",
    }  # fmt: skip
    assert sizes(company.other_tenant) == others
    assert (
        tables_that_say(
            NAME, "Geheimpapier", "Wasserrohr", "Eigentümerwechsel", "Filiale", "Zwilling", "Schnellstart", "renter@"
        )
        == set()
    )
    left = Organization.objects.get(pk=company.tenant.pk)
    assert (left.name, left.closed_at is not None) == (f"erased-{company.tenant.uuid}", True)


def test_accounts_that_belong_nowhere_else_are_erased_and_others_live_on(company: Cast) -> None:
    run(company)
    erased = {
        name
        for name in ("admin", "staff", "owner", "renter", "neighbour")
        if User.objects.get(pk=getattr(company, name).pk).erased_at
    }
    assert erased == {"admin", "staff", "owner", "renter", "neighbour"}
    for name in ("guest", "operator", "stranger", "foreigner"):
        assert User.objects.get(pk=getattr(company, name).pk).erased_at is None, name
    assert Membership.objects.get(user=company.guest).organization == company.other_tenant


def test_every_destroyed_thing_has_a_record_without_words(company: Cast) -> None:
    documents = set(Document.objects.filter(tenant=company.tenant).values_list("pk", flat=True))
    ticket_ids = set(Ticket.objects.filter(tenant=company.tenant).values_list("pk", flat=True))
    cases = set(Process.objects.filter(tenant=company.tenant).values_list("pk", flat=True))
    run(company)
    records = DestructionRecord.objects.filter(tenant=company.tenant, reason="erasure")
    for kind, ids in (("document", documents), ("ticket", ticket_ids), ("process", cases)):
        assert set(records.filter(kind=kind).values_list("object_id", flat=True)) == ids
    assert not records.exclude(title="", filename="").exists()
    assert not records.filter(kind="document", sha256=None).exists()
    assert records.filter(kind="organization", object_id=company.tenant.pk).count() == 1


def test_the_history_is_emptied_and_its_chain_proven(company: Cast) -> None:
    sealing.seal()
    run(company)
    sealing.seal()
    full = AuditEntry.objects.filter(tenant=company.tenant).exclude(salt=b"")
    assert set(full.values_list("verb", flat=True)) <= {"erased", "destroyed"}
    report = verification.verify()
    assert (report.findings, report.erased > 0) == ([], True)


def test_old_content_leaves_the_storage_at_once(company: Cast) -> None:
    mine = Blob.objects.filter(tenant=company.tenant)
    assert mine.exists()
    mine.update(created_at=timezone.now() - datetime.timedelta(days=2))
    theirs = publish_elsewhere(company)
    run(company)
    assert not Blob.objects.filter(tenant=company.tenant).exists()
    assert Blob.objects.filter(pk=theirs.pk).exists()


def publish_elsewhere(cast: Cast) -> Blob:
    blob = stored(cast.other_tenant, b"%PDF-1.4 fremd")
    Blob.objects.filter(pk=blob.pk).update(created_at=timezone.now() - datetime.timedelta(hours=2))
    return blob


def test_what_still_waits_to_be_sent_is_not_sent(company: Cast) -> None:
    Message.objects.create(
        tenant=company.tenant, kind="welcome", message_id="<w@x>", dedupe_key="w", to_emails=["x@quartier.test"]
    )
    erasure._close(company.tenant.pk, despite_dates=False)
    assert Message.objects.get(dedupe_key="w").state == "cancelled"
    assert not company.actor("admin").tenants


def test_a_run_that_was_killed_is_gone_on_with(company: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(tenant: Any, progress: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_clear_tables", dies)
        with pytest.raises(KeyboardInterrupt):
            run(company)
    assert Community.objects.filter(tenant=company.tenant).exists()
    run(company)
    assert not Community.objects.filter(tenant=company.tenant).exists()


def test_a_company_is_erased_once(company: Cast) -> None:
    run(company)
    with pytest.raises(NotFound):
        erasure.company(company.tenant.pk)
    with pytest.raises(CommandError, match="erased already"):
        run(company)


# --- What stands against it -----------------------------------------------------------------------------


def refused(cast: Cast) -> str:
    before = sizes(cast.tenant)
    with pytest.raises(Conflict) as refusal:
        erasure.erase_company(tenant_id=cast.tenant.pk)
    assert sizes(cast.tenant) == before
    assert Organization.objects.get(pk=cast.tenant.pk).closed_at is None
    return refusal.value.code


def test_a_hold_keeps_the_company_until_it_is_released(company: Cast) -> None:
    hold = Hold.objects.create(
        tenant=company.tenant, title="Streit", reason="Klage", placed_by=company.admin, unit=company.unit_a2
    )
    assert refused(company) == "held"
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now(), released_by=company.admin)
    run(company)
    assert "docms.Document" not in sizes(company.tenant)


def test_a_hold_of_another_company_keeps_nothing(company: Cast) -> None:
    Hold.objects.create(
        tenant=company.other_tenant,
        title="Streit",
        reason="Klage",
        placed_by=company.stranger,
        unit=company.foreign_unit,
    )
    run(company)
    assert "docms.Document" not in sizes(company.tenant)


def test_papers_under_a_date_keep_it_unless_somebody_says_otherwise(company: Cast) -> None:
    until = timezone.now() + datetime.timedelta(days=30)
    paper = publish(company, folder(company, "Geschützt", allow_delete_files=until))
    assert refused(company) == "protected"
    run(company, "--despite-dates")
    assert not Document.objects.filter(pk=paper.pk).exists()


def test_a_company_above_another_stays(company: Cast) -> None:
    below = create_organization(name="Tochter", parent=company.tenant, created_by=company.admin)
    Organization.objects.filter(pk=below.pk).update(is_tenant=True, tenant=below)
    assert refused(company) == "has_tenants"


@pytest.mark.parametrize("unit", ["unit_a2", "unit_a3"])
def test_a_hold_that_is_placed_meanwhile_stops_it(company: Cast, monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    """On a flat with tickets, and on one where nothing is: then the hold itself would go unseen."""
    close = erasure._close

    def close_and_hold(*args: Any, **values: Any) -> Organization:
        tenant = close(*args, **values)
        Hold.objects.create(
            tenant=company.tenant, title="Streit", reason="Klage", placed_by=company.operator,
            unit=getattr(company, unit),
        )  # fmt: skip
        return tenant

    monkeypatch.setattr(erasure, "_close", close_and_hold)
    with pytest.raises(CommandError):
        run(company)
    assert Hold.objects.filter(title="Streit", tenant=company.tenant).exists()
    assert Process.objects.filter(unit=company.unit_a2).exists() is (unit == "unit_a2")
    assert Community.objects.filter(tenant=company.tenant).exists()


def test_another_name_changes_nothing(company: Cast) -> None:
    with pytest.raises(CommandError, match="That is not its name"):
        call_command("erase_tenant", str(company.tenant.pk), "--confirm", "Nordhaus", stdout=io.StringIO())
    assert Organization.objects.get(pk=company.tenant.pk).closed_at is None


def test_the_command_says_what_will_go_and_asks(company: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: "nein")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("erase_tenant", str(company.tenant.pk), stdout=out)
    assert f"Company {company.tenant.pk}: {NAME}" in out.getvalue()
    assert "documents: 4" in out.getvalue()


def test_a_closed_terminal_changes_nothing(company: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("erase_tenant", str(company.tenant.pk), stdout=io.StringIO())
    assert Organization.objects.get(pk=company.tenant.pk).closed_at is None


def test_operators_who_would_have_no_place_left_are_named(company: Cast) -> None:
    add_member(user=company.operator, organization=company.tenant, role="staff")
    assert erasure.company(company.tenant.pk).operators == ["operator@quartier.test"]
    assert "operator operator@quartier.test has a place in no other company" in run(company)
    add_member(user=company.operator, organization=company.other_tenant, role="staff")
    assert erasure.company(company.other_tenant.pk).operators == ["operator@quartier.test"]


def test_an_organization_that_is_no_company_is_not_found(company: Cast) -> None:
    plain = create_organization(name="Verein", created_by=company.admin)
    with pytest.raises(CommandError, match=str(plain.pk)):
        call_command("erase_tenant", str(plain.pk), "--confirm", "Verein", stdout=io.StringIO())


# --- No table is forgotten ------------------------------------------------------------------------------


def test_every_table_of_a_company_is_cleared_or_kept_on_purpose() -> None:
    bound = {m for m in apps.get_models() if any(f.name == "tenant" for f in m._meta.concrete_fields)}
    assert bound - erasure.KEPT - {User} <= set(erasure.tables())


@pytest.mark.django_db
def test_a_whole_demo_company_can_be_erased(settings: Any) -> None:
    settings.TRYOUT = True
    known = list(Organization.objects.filter(is_tenant=True).values_list("pk", flat=True))
    call_command("demo", seed=7, stdout=io.StringIO())
    made = Organization.objects.filter(is_tenant=True).exclude(pk__in=known)
    tenant = max(made, key=lambda one: len(sizes(one)))
    name = tenant.name
    assert len(sizes(tenant)) > 30
    erasure.erase_company(tenant_id=tenant.pk)
    assert set(sizes(tenant)) <= {"core.AuditEntry", "core.DestructionRecord", "core.Blob", "orgs.Organization"}
    assert tables_that_say(name) == set()
