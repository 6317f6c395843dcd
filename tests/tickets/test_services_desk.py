"""Working on tickets together: saving, merging, parts, sharing, watching, drafts, ready-made replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import Changed, Conflict, Denied, Invalid
from core.models import AuditEntry
from orgs import audience
from tests.factories import at_once
from tests.portal.pages import signed_in
from tests.tickets.material import upload
from tickets.models import CannedReply, Ticket, TicketActivity, TicketDraft, TicketWatcher
from tickets.services import (
    bulk,
    canned,
    changes,
    comments,
    desk,
    drafts,
    family,
    filters,
    merging,
    sharing,
    watching,
    worklist,
)
from tickets.services.attachments import NONE, Files

if TYPE_CHECKING:
    from tests.cast import Cast
    from tests.tickets.material import File

pytestmark = pytest.mark.django_db


def save(cast: Cast, ticket: Ticket, who: str = "staff", expected: int | None = None, **wanted: Any) -> Ticket:
    return desk.save(actor=cast.actor(who), ticket=ticket, wanted=wanted, expected=expected)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def words_of(ticket: Ticket) -> list[str]:
    found = TicketActivity.objects.filter(ticket=ticket, kind="event").order_by("id")
    return [f"{a.data['event']} {a.data.get('ticket', '')}".strip() for a in found]


# --- Saving -------------------------------------------------------------------------------------------------


def test_several_controls_are_saved_together(cast: Cast, file: File) -> None:
    ticket, member = file(), cast.membership("staff")
    save(cast, ticket, status="in_progress", assignee=member, priority=4, support_type="cleaning")
    now = fresh(ticket)
    assert (now.status, now.assignee, now.priority, now.support_type) == ("in_progress", member, 4, "cleaning")
    assert AuditEntry.objects.filter(verb="priority_changed", object_id=str(ticket.pk)).exists()


def test_what_a_colleague_saved_is_not_overwritten(cast: Cast, file: File) -> None:
    ticket = file()
    save(cast, ticket, status="waiting")
    with pytest.raises(Changed):
        save(cast, ticket, "admin", expected=ticket.row_version, status="solved", priority=1)
    assert (fresh(ticket).status, fresh(ticket).priority) == ("waiting", 2)


@pytest.mark.parametrize("who", ["renter", "neighbour", "stranger"])
def test_others_save_nothing(cast: Cast, file: File, who: str) -> None:
    with pytest.raises(Denied):
        save(cast, file(), who, priority=4)


# --- Merging ------------------------------------------------------------------------------------------------


def test_a_merged_ticket_is_closed_and_leads_to_the_other(cast: Cast, file: File) -> None:
    one, other = file(), file("owner")
    watching.watch(actor=cast.actor("admin"), ticket=one, membership=cast.membership("staff"))
    merging.merge(actor=cast.actor("staff"), ticket=one, into=other)
    assert fresh(one).status == "closed"
    assert merging.target_of(fresh(one)) == other
    assert words_of(one) == [f"merged_into {other.identifier}"]
    assert words_of(other) == [f"merged_from {one.identifier}"]
    assert TicketWatcher.objects.filter(ticket=other, membership=cast.membership("staff")).exists()


def test_merging_makes_no_ring_and_no_chain(cast: Cast, file: File) -> None:
    first, second, third = file(), file(), file()
    actor = cast.actor("staff")
    merging.merge(actor=actor, ticket=first, into=second)
    with pytest.raises(Invalid):
        merging.merge(actor=actor, ticket=second, into=fresh(first))
    with pytest.raises(Invalid):
        merging.merge(actor=actor, ticket=second, into=second)
    with pytest.raises(Conflict):
        merging.merge(actor=actor, ticket=fresh(first), into=third)
    merging.merge(actor=actor, ticket=second, into=third)
    assert fresh(first).merged_into == third


def test_a_merged_ticket_that_is_opened_again_stands_on_its_own(cast: Cast, file: File) -> None:
    one, other = file("owner"), file("renter")
    merging.merge(actor=cast.actor("staff"), ticket=one, into=other)
    changes.set_status(actor=cast.actor("staff"), ticket=fresh(one), status="solved", source="web")
    assert fresh(one).merged_into == other
    changes.set_status(actor=cast.actor("staff"), ticket=fresh(one), status="in_progress", source="web")
    assert fresh(one).merged_into is None
    assert words_of(one) == [f"merged_into {other.identifier}", f"unmerged {other.identifier}"]
    page = signed_in(cast.staff).get(f"/admin/tickets/ticket/{one.pk}/change/")
    assert f"nicht mehr mit Anliegen {other.identifier} zusammengeführt" in page.content.decode()


def test_tickets_of_houses_one_does_not_look_after_are_not_merged(cast: Cast, file: File) -> None:
    elsewhere = file("neighbour", community=cast.house_b)
    with pytest.raises(Denied):
        merging.merge(actor=cast.actor("staff"), ticket=file(), into=elsewhere)
    with pytest.raises(Denied):
        merging.merge(actor=cast.actor("staff"), ticket=elsewhere, into=file())


def test_a_foreign_ticket_is_no_target(cast: Cast, file: File) -> None:
    foreign = file("foreigner", community=cast.foreign_house)
    with pytest.raises((Denied, Invalid)):
        merging.merge(actor=cast.actor("operator"), ticket=file(), into=foreign)


def test_the_requester_of_a_merged_ticket_reads_replies_there_and_nothing_else(cast: Cast, file: File) -> None:
    one, other = file("renter"), file("owner", "Meine Nummer ist geheim.")
    merging.merge(actor=cast.actor("staff"), ticket=one, into=other)
    handle = upload(cast, "staff", door="back_office")
    desk.answer(
        actor=cast.actor("staff"),
        ticket=other,
        text="Es kommt jemand.",
        is_note=False,
        files=Files([handle], "back_office"),
    )
    desk.answer(actor=cast.actor("staff"), ticket=other, text="Nur für uns.", is_note=True, files=NONE)
    renter = cast.actor("renter")
    assert not Ticket.objects.visible_to(renter).filter(pk=other.pk).exists()
    read = TicketActivity.objects.visible_to(renter).filter(kind="comment")
    assert [(a.ticket_id, a.text, a.attachments.count()) for a in read] == [(one.pk, "Es kommt jemand.", 1)]


def test_what_is_said_on_a_merged_ticket_reopens_its_target(cast: Cast, file: File) -> None:
    one, other = file("renter"), file("owner")
    merging.merge(actor=cast.actor("staff"), ticket=one, into=other)
    save(cast, other, status="solved")
    comments.add_comment(actor=cast.actor("renter"), ticket=one, text="Es tropft wieder.", source="web")
    assert (fresh(one).status, fresh(other).status) == ("closed", "reopened")
    assert words_of(other)[-1] == f"merged_comment {one.identifier}"
    unanswered = worklist.matching(cast.actor("staff"), worklist.Wish(view="unanswered"))
    assert list(unanswered) == [other]


# --- Parts --------------------------------------------------------------------------------------------------


def test_a_whole_is_not_solved_while_parts_are_open(cast: Cast, file: File) -> None:
    whole, part = file(), file()
    family.set_parent(actor=cast.actor("staff"), ticket=part, parent=whole)
    with pytest.raises(Conflict) as refused:
        save(cast, whole, status="solved")
    assert part.identifier in str(refused.value.message)
    assert fresh(whole).status == "new"
    desk.save(actor=cast.actor("staff"), ticket=whole, wanted={"status": "solved"}, with_children=True)
    assert {fresh(whole).status, fresh(part).status} == {"solved"}


def test_the_last_part_that_is_done_is_a_hint(cast: Cast, file: File) -> None:
    whole, part = file(), file()
    family.set_parent(actor=cast.actor("staff"), ticket=part, parent=whole)
    assert not family.hint(fresh(whole))
    save(cast, part, status="solved")
    assert family.hint(fresh(whole))


def test_parts_have_no_parts(cast: Cast, file: File) -> None:
    whole, part, third = file(), file(), file()
    actor = cast.actor("staff")
    family.set_parent(actor=actor, ticket=part, parent=whole)
    for ticket, parent in ((whole, part), (third, part), (whole, third), (whole, whole)):
        with pytest.raises(Invalid):
            family.set_parent(actor=actor, ticket=fresh(ticket), parent=fresh(parent))
    family.set_parent(actor=actor, ticket=part, parent=None)
    assert fresh(part).parent is None


# --- Sharing ------------------------------------------------------------------------------------------------


def test_sharing_with_a_unit_and_ending_it(cast: Cast, file: File) -> None:
    ticket, owner = file("renter"), cast.actor("owner")
    sharing.share(actor=cast.actor("staff"), ticket=ticket, keys=[audience.unit(cast.unit_a1.pk)])
    assert Ticket.objects.visible_to(owner).filter(pk=ticket.pk).exists()
    assert not Ticket.objects.visible_to(cast.actor("neighbour")).filter(pk=ticket.pk).exists()
    sharing.share(actor=cast.actor("staff"), ticket=ticket, keys=[])
    assert not Ticket.objects.visible_to(owner).filter(pk=ticket.pk).exists()
    assert fresh(ticket).shared_at is None
    assert words_of(ticket) == ["shared", "unshared"]


def test_nobody_outside_of_the_community_is_shared_with(cast: Cast, file: File) -> None:
    ticket = file()
    keys = [
        audience.unit(cast.unit_b1.pk),
        audience.community(cast.house_b.pk),
        audience.account(cast.guest.pk),
        "x",
        "c:1\x00",
    ]
    for key in keys:
        with pytest.raises(Invalid):
            sharing.share(actor=cast.actor("staff"), ticket=ticket, keys=[key])
    for who, shared in (("renter", [audience.unit(cast.unit_a1.pk)]), ("owner", []), ("neighbour", [])):
        with pytest.raises(Denied):
            sharing.share(actor=cast.actor(who), ticket=ticket, keys=shared)
    assert fresh(ticket).shared_with == []


# --- Watching, drafts, filters ------------------------------------------------------------------------------


def test_who_looks_after_the_house_watches_once(cast: Cast, file: File) -> None:
    ticket, member = file(), cast.membership("staff")
    for _time in range(2):
        watching.watch(actor=cast.actor("admin"), ticket=ticket, membership=member)
    assert TicketWatcher.objects.filter(ticket=ticket).count() == 1
    with pytest.raises(Invalid):
        watching.watch(actor=cast.actor("admin"), ticket=ticket, membership=cast.membership("guest"))
    watching.unwatch(actor=cast.actor("staff"), ticket=ticket, membership_id=member.pk)
    assert not TicketWatcher.objects.exists()


def test_a_draft_is_its_writers_and_goes_when_sent(cast: Cast, file: File) -> None:
    ticket, actor = file(), cast.actor("staff")
    drafts.keep(actor=actor, ticket=ticket, text="Guten")
    drafts.keep(actor=actor, ticket=ticket, text="Guten Tag", is_note=True)
    kept = drafts.of(actor, ticket)
    assert kept is not None
    assert (kept.text, kept.is_note) == ("Guten Tag", True)
    assert drafts.of(cast.actor("admin"), ticket) is None
    desk.answer(actor=actor, ticket=ticket, text="Guten Tag", is_note=True, files=NONE)
    assert not TicketDraft.objects.exists()


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u2060"])
def test_an_empty_box_is_no_draft(cast: Cast, file: File, text: str) -> None:
    ticket, actor = file(), cast.actor("staff")
    drafts.keep(actor=actor, ticket=ticket, text="Guten")
    drafts.keep(actor=actor, ticket=ticket, text=text)
    assert not TicketDraft.objects.exists()


def test_a_draft_is_not_longer_than_a_comment(cast: Cast, file: File) -> None:
    with pytest.raises(Invalid):
        drafts.keep(actor=cast.actor("staff"), ticket=file(), text="x" * 20_001)


def test_private_filters_are_seen_by_nobody_else(cast: Cast) -> None:
    staff, admin = cast.actor("staff", tenant=cast.tenant), cast.actor("admin", tenant=cast.tenant)
    filters.save(actor=staff, tenant_id=cast.tenant.pk, name="Meine", query="view=mine")
    shared = filters.save(actor=staff, tenant_id=cast.tenant.pk, name="Alle", query="", is_shared=True)
    assert filters.tabs(admin, cast.tenant.pk) == [shared]
    assert len(filters.tabs(staff, cast.tenant.pk)) == 2
    assert filters.tabs(cast.actor("stranger", tenant=cast.other_tenant), cast.other_tenant.pk) == []
    own = filters.save(actor=admin, tenant_id=cast.tenant.pk, name="Nur ich", query="")
    with pytest.raises(Denied):
        filters.remove(actor=staff, saved=own)
    filters.remove(actor=admin, saved=shared)


# --- Ready-made replies -------------------------------------------------------------------------------------


def test_placeholders_are_filled_once_and_as_plain_text(cast: Cast, file: File) -> None:
    cast.renter.first_name = "{{company_name}}"
    contact = cast.contact("renter")
    contact.first_name = "{{company_name}}{% now %}"
    contact.save()
    ticket = file(unit=cast.unit_a2)
    ticket = Ticket.objects.select_related("contact", "community", "unit", "tenant").get(pk=ticket.pk)
    text = "{{requester_name}} {{ ticket_number }} {{community}} {{unit}} {{staff_name}} {{company_name}}"
    filled = canned.fill(text, ticket, cast.actor("staff"))
    assert filled == (
        f"{{{{company_name}}}}{{% now %}} Muster {ticket.identifier} Haus A Wohnung A2 Staff Muster Brandt & Keller"
    )


def test_replies_of_other_kinds_and_companies_are_not_offered(cast: Cast, file: File) -> None:
    rows = [(cast.tenant, "hier", ""), (cast.tenant, "Reinigung", "cleaning"), (cast.other_tenant, "fremd", "")]
    for tenant, name, kind in rows:
        CannedReply.objects.create(tenant=tenant, name=name, text="x", support_type=kind)
    CannedReply.objects.create(tenant=cast.tenant, name="alt", text="x", is_active=False)
    assert [r.name for r in canned.offered(file(), cast.actor("staff"))] == ["hier"]


# --- Many at once -------------------------------------------------------------------------------------------


def test_a_plan_says_what_is_refused_and_why_and_applying_does_the_same(cast: Cast, file: File) -> None:
    whole, part, done, plain = file(), file(), file(), file()
    family.set_parent(actor=cast.actor("staff"), ticket=part, parent=whole)
    save(cast, done, status="solved")
    elsewhere, foreign = file("neighbour", community=cast.house_b), file("foreigner", community=cast.foreign_house)
    actor = cast.actor("staff", tenant=cast.tenant)
    ids = [whole.pk, done.pk, plain.pk, elsewhere.pk, foreign.pk, 10**8]
    plan = bulk.plan(actor, ids, {"status": "solved"})
    assert (plan.changing, plan.unchanged, plan.refused) == (1, 1, 4)
    result = bulk.apply(actor, ids, {"status": "solved"})
    assert (result.changing, result.unchanged, result.refused) == (1, 1, 4)
    assert [fresh(t).status for t in (whole, plain, elsewhere, foreign)] == ["new", "solved", "new", "new"]


def test_a_whole_and_its_parts_are_solved_together(cast: Cast, file: File) -> None:
    whole, part = file(), file()
    family.set_parent(actor=cast.actor("staff"), ticket=part, parent=whole)
    actor, ids = cast.actor("staff", tenant=cast.tenant), [whole.pk, part.pk]
    assert bulk.plan(actor, ids, {"status": "solved"}).changing == 2
    assert bulk.apply(actor, ids, {"status": "solved"}).changing == 2


def test_a_person_who_does_not_look_after_a_house_is_refused_there(cast: Cast, file: File) -> None:
    here, there = file(), file("neighbour", community=cast.house_b)
    actor, wanted = cast.actor("admin", tenant=cast.tenant), {"assignee": cast.membership("staff").pk}
    plan = bulk.plan(actor, [here.pk, there.pk], wanted)
    assert (plan.changing, plan.refused) == (1, 1)
    assert str(there) in plan.refusals[0][0]
    bulk.apply(actor, [here.pk, there.pk], wanted)
    assert (fresh(here).assignee, fresh(there).assignee) == (cast.membership("staff"), None)


@pytest.mark.parametrize(
    "sent",
    [{}, {"status": "x"}, {"priority": "9"}, {"support_type": "\x00"}, {"assignee": "²"}, {"assignee": "99999999"}],
)
def test_nonsense_is_no_bulk_change(cast: Cast, sent: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        bulk.wanted_of(sent, cast.actor("staff"))


def test_a_foreign_person_is_no_assignee_of_many(cast: Cast) -> None:
    foreign = cast.membership("stranger", cast.other_tenant)
    with pytest.raises(Invalid):
        bulk.wanted_of({"assignee": str(foreign.pk)}, cast.actor("staff"))


@pytest.mark.django_db(transaction=True)
def test_an_answer_and_a_word_of_a_merged_tickets_requester_do_not_wait_for_each_other(cast: Cast, file: File) -> None:
    """The answer goes to the target and is told in the merged ticket, the word the other way round."""
    older, newer = file("renter"), file("owner")
    merging.merge(actor=cast.actor("staff"), ticket=older, into=newer)

    def answer() -> str:
        staff = cast.actor("staff")
        desk.answer(actor=staff, ticket=fresh(newer), text="Wir kommen.", is_note=False, files=NONE)
        return "answer"

    def word() -> str:
        comments.add_comment(actor=cast.actor("renter"), ticket=fresh(older), text="Wann?", source="web")
        return "word"

    for _turn in range(5):
        assert sorted(at_once(answer, word)) == ["answer", "word"]  # type: ignore[type-var]


def test_what_was_on_its_way_when_it_was_sent_is_no_draft_again(cast: Cast, file: File) -> None:
    ticket, begun = file(), timezone.now()
    staff = cast.actor("staff")
    drafts.keep(actor=staff, ticket=ticket, text="Wir ko", begun=begun)
    desk.answer(actor=staff, ticket=ticket, text="Wir kommen.", is_note=False, files=NONE)
    with pytest.raises(Conflict):
        drafts.keep(actor=staff, ticket=ticket, text="Wir kommen.", begun=begun)
    assert drafts.of(staff, ticket) is None
    drafts.keep(actor=staff, ticket=ticket, text="Noch etwas", begun=timezone.now())
    assert drafts.of(staff, ticket) is not None


def test_what_is_open_is_no_part_of_what_is_done(cast: Cast, file: File) -> None:
    part, whole = file(), file("owner")
    staff = cast.actor("staff")
    changes.set_status(actor=staff, ticket=whole, status="solved", source="web")
    with pytest.raises(Invalid):
        family.set_parent(actor=staff, ticket=part, parent=whole)
    changes.set_status(actor=staff, ticket=part, status="closed", source="web")
    family.set_parent(actor=staff, ticket=part, parent=whole)
    assert fresh(part).parent == whole
