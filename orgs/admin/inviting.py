"""Inviting many at once: first who would be invited and who not, then the report of what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin.pages import Cell, Section, change_url, render
from core.answers import require
from core.errors import Denied
from orgs import rules
from orgs.models import Contact, Invite, Occupancy
from orgs.services import invites, licences


@dataclass
class Preview:
    """The people of a place by what inviting would do with them; the service decides again when it acts."""

    will: list[Occupancy] = field(default_factory=list)
    pending: list[Occupancy] = field(default_factory=list)
    without_email: list[Occupancy] = field(default_factory=list)
    with_account: list[Occupancy] = field(default_factory=list)


def preview_of(occupancies: list[Occupancy]) -> Preview:
    """Sort people once each; one query for pending invitations."""
    found, seen = Preview(), set()
    today = occupancies[0].contact.tenant.today() if occupancies else None
    waiting = (
        {
            (unit, email.lower())
            for unit, email in Invite.objects.pending()
            .filter(unit__in={o.unit_id for o in occupancies}, expires_on__gte=today)
            .values_list("unit_id", "email")
        }
        if occupancies
        else set()
    )
    for occupancy in occupancies:
        contact = occupancy.contact
        if contact.pk in seen:
            continue
        seen.add(contact.pk)
        if contact.user_id is not None:
            found.with_account.append(occupancy)
        elif not contact.email:
            found.without_email.append(occupancy)
        elif (occupancy.unit_id, contact.email.lower()) in waiting:
            found.pending.append(occupancy)
        else:
            found.will.append(occupancy)
    return found


def invite_page(admin: Any, request: HttpRequest, obj: Any, occupancies: list[Occupancy]) -> HttpResponse:
    """GET: the preview. POST: invite, and say what became of everyone. Raises `Denied` where a trial is over (ORGS-081)."""
    require(rules.may_use(obj.tenant))
    actor = request.actor  # type: ignore[attr-defined]
    for occupancy in occupancies:
        answer = rules.may_invite(actor, occupancy.unit)
        if not answer:
            raise Denied(answer.reason)
    if request.method == "POST":
        report = invites.invite_many(occupancies, invited_by=actor.user)
        sections = [
            Section(_("Invited"), _heads(), [_of_invite(i) for i in report.invited], _("Nobody was invited.")),
            Section(
                _("No e-mail address"),
                _heads()[:2],
                [_of_contact(c) for c in report.without_email],
                "",
                note=_("Add an address, or invite by letter."),
            ),
            Section(_("Has a pending invitation"), _heads()[:2], [_of_contact(c) for c in report.already_invited]),
            Section(_("Has an account already"), _heads()[:2], [_of_contact(c) for c in report.with_account]),
        ]
        title, button = _("%(count)d people invited") % {"count": len(report.invited)}, ""
        warning = _shortage(obj.tenant_id, len(report.invited))
    else:
        found = preview_of(occupancies)
        sections = [
            Section(
                _("Will be invited"), _heads(), [_of_occupancy(o) for o in found.will], _("There is nobody to invite.")
            ),
            Section(
                _("No e-mail address"),
                _heads(),
                [_of_occupancy(o) for o in found.without_email],
                "",
                note=_("These people cannot be invited by mail. Add an address first."),
            ),
            Section(_("Has a pending invitation"), _heads(), [_of_occupancy(o) for o in found.pending]),
            Section(_("Has an account already"), _heads(), [_of_occupancy(o) for o in found.with_account]),
        ]
        title = _("Invite: %(what)s") % {"what": obj}
        button = _("Invite %(count)d people now") % {"count": len(found.will)} if found.will else ""
        warning = _shortage(obj.tenant_id, len(found.will))
    counted = [(s.title, len(s.rows)) for s in sections]
    return render(
        admin.admin_site,
        request,
        "admin/house/invite.html",
        title=title,
        sections=[s for s in sections if s.rows or s.empty],
        counted=counted,
        button=button,
        warning=warning,
        opts=admin.opts,
        original=obj,
        back=change_url(obj),
    )


def _shortage(tenant_id: int, invited: int) -> str:
    """What to know before more people are invited than the licence has points for; a point is taken by who accepts."""
    free = licences.free_points(tenant_id) if invited else None
    if free is None or free >= invited:
        return ""
    if free == 0:
        licence = licences.in_force(tenant_id)
        if licence is not None and licence.is_expired:
            return _("The licence has expired. Who is invited cannot join until it is renewed.")
        return _("The licence has no free points. Who is invited cannot join until there are some.")
    return ngettext(
        "The licence has %(free)d free point. Who is invited beyond that cannot join until there are more.",
        "The licence has %(free)d free points. Who is invited beyond that cannot join until there are more.",
        free,
    ) % {"free": free}


def _heads() -> list[str]:
    return [_("Person"), _("E-mail address"), _("Unit"), _("Role")]


def _of_contact(contact: Contact) -> list[Cell]:
    return [Cell(contact, change_url(contact)), Cell(contact.email or "–")]


def _of_occupancy(occupancy: Occupancy) -> list[Cell]:
    return [
        *_of_contact(occupancy.contact),
        Cell(occupancy.unit.name, change_url(occupancy.unit)),
        Cell(occupancy.get_role_display()),
    ]


def _of_invite(invite: Invite) -> list[Cell]:
    assert invite.contact is not None
    return [
        *_of_contact(invite.contact),
        Cell(invite.unit.name if invite.unit else "–"),
        Cell(_("code %(code)s") % {"code": invites.readable(invite.code)}, change_url(invite)),
    ]


def visible_occupants(actor: Any, occupancies: list[Occupancy]) -> list[Occupancy]:
    """Of people with several homes, the homes this person may invite to."""
    ids = set(
        Occupancy.objects.visible_to(actor).filter(Q(pk__in=[o.pk for o in occupancies])).values_list("pk", flat=True)
    )
    return [o for o in occupancies if o.pk in ids]
