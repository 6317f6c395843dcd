"""The world the matrix is asked in: four places, each with one of everything, and eleven roles.

==========  ================================================================================================
``A``       house A of Brandt & Keller, where renter, owner and additional users of the cast live
``B``       house B of the same company
``X``       house X of Nordhaus, another company
``0``       ids that name nothing
==========  ================================================================================================
"""

from __future__ import annotations

import base64
import datetime
import io
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core import scope
from core.models import AuditEntry, DestructionRecord, JobRun, SystemLog
from core.services import blobs, previews, rows, uploads
from core.services.pictures import store_logo
from docms.admin.upload import DOOR as UPLOAD_DOOR
from docms.models import DocumentLog, FolderLabel, LabelSuggestion, ReadMark
from docms.services import documents, folders, groups, marks, permissions, shares, texts
from messaging.models import Message
from messaging.services.templates import store_tenant_text
from orgs.actor import Actor
from orgs.models import (
    AccessRequest,
    Community,
    CommunityAssignment,
    Contact,
    Hold,
    InstallationSettings,
    Membership,
    Occupancy,
    OneTimeLink,
    Organization,
    OrganizationSettings,
    Session,
    SignInLog,
    Unit,
    User,
)
from orgs.services import (
    applications,
    avatars,
    contacts,
    invites,
    oauth_clients,
    occupancies,
    owners,
    passwords,
    tokens,
    tree,
)
from orgs.services.register import runs
from orgs.services.tenants import add_member
from orgs.signals import owner_invited
from portal.web.ticket_files import DOOR as TICKET_DOOR
from portal.web.upload import DOOR as WEB_UPLOAD_DOOR
from processes.services import cases, kinds
from tests.cast import CASE_FLAGS, DOCUMENT_FLAGS, Cast, account, resident
from tests.core import material
from tests.docms.door import NO_FLAGS, PDF, link_and_code
from tests.docms.door import signed_in as bearer
from tests.portal.pages import signed_in as browser
from tickets.models import (
    AssignmentRule,
    CannedReply,
    InboundMail,
    Mailbox,
    TicketType,
    TicketTypeCommunity,
    TicketTypeGroup,
)
from tickets.services import comments, filing
from tickets.services.attachments import Files

ROLES = (
    "anonymous", "renter", "owner", "additional", "household", "former", "elsewhere", "staff", "admin", "other",
    "operator",
)  # fmt: skip
PLACES = ("A", "B", "X")
NOWHERE = 987654321
# Where a role belongs; everybody else's home is A.
HOMES = {"elsewhere": "B", "other": "X"}


@dataclass
class Place:
    """Values of one house: by keyword of a path, and the row of each noun of the back office by `app.model`."""

    values: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)


@dataclass
class World:
    """Who asks, and what can be asked for."""

    cast: Cast
    people: dict[str, User | None]
    places: dict[str, Place]
    # What is a person's own: {role: {place: {keyword: value}}}, where A is one's own and the others somebody else's.
    personal: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # of the documents door
    personal_tokens: dict[str, str] = field(default_factory=dict)  # of the organizations door
    credentials: dict[str, str] = field(default_factory=dict)  # of the support door

    def values(self, pattern: str, role: str, place: str) -> dict[str, Any]:
        """What the keywords of a route are, of one place or of none, for one role."""
        found = {**self.places[place].values, **self.personal[role].get(place, {})}
        parts = pattern.split("/")
        label = ".".join(parts[1:3])
        if parts[0] == "admin" and label in self.places[place].objects:
            found["object_id"] = self.places[place].objects[label]
        if parts[0] == "api":
            found["name"] = "nirgends" if place == "0" else "docms"
        if pattern.startswith("api/v1/organization"):
            found["user_id"] = found["invitee_id" if "/invitation/" in pattern else "coowner_id"]
        if pattern.startswith("app/owner/"):
            found["token"] = found["invitation_id"]
        if label == "tickets.ticket" and "/files/" in pattern:
            found["key"] = found["attachment_key"]
        if label.startswith("uploads.") and parts[0] == "app":
            found["handle"] = found.get("web_handle", found["handle"])
        if label.startswith("ticket-uploads.") and parts[0] == "app":
            found["handle"] = found.get("ticket_handle", found["handle"])
        if parts[0] == "support":
            found["id"] = found["comment_ref" if "/comment/" in pattern else "ticket_ref"]
            found["key"] = found["attachment_key"]
        if label == "mails.<str:name>":
            found["name"] = f"mail-{place}.eml"
        return found


def build(cast: Cast) -> World:
    """The cast with more people, and one of everything in each of the three houses."""
    people = {name: getattr(cast, name, None) for name in ROLES}
    people |= {"other": cast.stranger, "household": resident("household", cast.unit_a2, "additional", is_admin=True)}
    people["elsewhere"] = _staff_of_house_b(cast)
    rows.create(InstallationSettings, pk=1, mail_server="smtp.quartier.test")
    for name in PLACES:
        _introduce(cast.tenant if name != "X" else cast.other_tenant)
    for who in ("admin", "staff", "elsewhere", "other"):
        clerk: Any = people[who]
        rows.change(Membership.objects.get(user=clerk, organization__is_tenant=True), dict.fromkeys(CASE_FLAGS, True))
    brandt, nordhaus = cast.actor("admin", tenant=cast.tenant), cast.actor("stranger", tenant=cast.other_tenant)
    world = World(
        cast,
        people,
        {
            "A": _furnish(brandt, cast, "renter", cast.staff),
            "B": _furnish(brandt, cast, "neighbour", people["elsewhere"]),
            "X": _furnish(nordhaus, cast, "foreigner"),
            "0": Place(
                {
                    **dict.fromkeys(
                        ("community_id", "building_id", "unit_id", "contact_id", "tenant_id", "document_id", "file_id",
                         "folder_id", "group_id", "user_id", "session_id", "object_id", "membership_id", "run_id",
                         "message_id", "share_id", "systemlog_id", "organization_id", "invitee_id", "coowner_id", "token_id",
                         "ticket_id", "type_id", "program_id", "client_id"),
                        NOWHERE,
                    ),
                    "version_no": 99, "name": "Nirgends", "token": "0" * 43, "code": "ZZZZZZZZZZZZ", "handle": "0" * 43,
                    "mail": "nobody@quartier.test", "donestate": "true", "tfainput": "000000", "url": "nirgends",
                    "mailbox_id": NOWHERE, "app_id": NOWHERE, "kind": "nowhere",
                    "app_label": "orgs", "content_type_id": _content_type(),
                    "share_token": "0" * 43, "share_code": "XXXXXX", "invitation_id": "0" * 43, "key": uuid.UUID(int=0),
                    **dict.fromkeys(("ticket_ref", "comment_ref", "location_ref", "user_ref"), str(uuid.UUID(int=0))),
                    "attachment_key": "0" * 40,
                },
            ),
        },
    )  # fmt: skip
    for role, person in sorted(people.items(), key=lambda found: found[1] is None):  # nobody last: asks for others'
        _sign_in(world, role, person)
    return world


def _content_type() -> int:
    return ContentType.objects.get_for_model(apps.get_model("docms", "Document")).pk


def _staff_of_house_b(cast: Cast) -> User:
    person = account("elsewhere")
    member = add_member(user=person, organization=cast.tenant, role="staff", **dict.fromkeys(DOCUMENT_FLAGS, True))
    rows.create(CommunityAssignment, tenant=cast.tenant, membership=member, community=cast.house_b)
    return person


def _introduce(tenant: Organization) -> None:
    """Texts and a logo, so that the pages for visitors have something to show."""
    chosen = OrganizationSettings.objects.get(organization=tenant.pk)
    logo = SimpleUploadedFile("logo.png", material.picture())
    rows.change(
        chosen,
        {
            "imprint": f"Imprint of {tenant.name}",
            "privacy_text": f"Privacy of {tenant.name}",
            "accent_color": "#123456",
            "logo": store_logo(logo, tenant_id=tenant.pk, field="logo"),
            "sms_send_url": "https://sms.example/",
            "sms_api_key": "geheim",
            "sms_sender_id": "Haus",
            "groupadmin_active": True,
            "groupadmin_user_create": True,
            "groupadmin_user_edit": True,
            "groupadmin_user_reset_password": True,
            "groupadmin_user_reset_tfa": True,
            "groupadmin_user_reset_attempts": True,
        },
    )


def _furnish(boss: Actor, cast: Cast, who: str, *clerks: User) -> Place:
    """One of everything around one resident: made through the services where there is one.

    The clerks of the house are in the group that reaches its folder, and administer it; in docms, looking after a house
    opens no paper.
    """
    person: User = getattr(cast, who)
    occupancy: Occupancy = cast.occupancy(who)
    unit, contact = occupancy.unit, occupancy.contact
    community, tenant = unit.community, unit.tenant
    name = community.identifier
    member = Membership.objects.get(user=person, organization=tenant.pk)
    notice = SimpleUploadedFile("notice.png", material.picture())
    rows.change(member, {"login_logo": store_logo(notice, tenant_id=tenant.pk, field="login_logo")})
    building = unit.building or rows.create(
        apps.get_model("orgs", "Building"), tenant=tenant, community=community, street=f"Weg {name}"
    )

    circle = groups.derived_group(tenant=tenant, community=community)
    group = groups.create_group(
        actor=boss, tenant=tenant, name=f"Beirat {name}", user_ids=[person.pk, *(c.pk for c in clerks)],
        groupadmin_ids=[c.pk for c in clerks], show_check_mark=True,
    )  # fmt: skip
    folder = folders.create_folder(
        actor=boss, tenant=tenant, name=f"Ordner {name}", group_ids=[circle.pk, group.pk], community=community,
        labels=[(f"Marke {name}", "#123456")], show_check_mark=True,
    )  # fmt: skip
    blob = blobs.store(io.BytesIO(PDF), tenant_id=tenant.pk, limit=10**6)
    previews.make_preview(blob.pk)
    paper = documents.publish(actor=boss, folder=folder, blob=blob, filename=f"{name}.pdf", title=f"Papier {name}")
    permissions.set_permission(
        actor=boss, folder=folder, user_id=person.pk, flags={**NO_FLAGS, "read": True, "download": True}
    )
    permissions.set_mail_rule(actor=boss, folder=folder, user_id=person.pk, custom=True, recipient_ids=[person.pk])
    for kind in texts.Kind:
        texts.store_text(actor=boss, folder=folder, kind=kind, values={"body": f"Text {name}"})
    store_tenant_text(tenant=tenant, kind="notification", changes={"subject": f"Neues in {name}"})
    given = shares.share(
        actor=boss, document=paper, name=f"Nina {name}", email=f"nina-{name.lower()}@example.org",
        mobile_number="+491701234567",
    )  # fmt: skip
    share_token, share_code = link_and_code(given.pk)
    mark_of = cast.actor(person, tenant=tenant)
    marks.mark_read(document_id=paper.pk, actor=mark_of)
    log = DocumentLog.objects.filter(document_id=paper.pk).first() or rows.create(
        DocumentLog, tenant=tenant, document_id=paper.pk, user=person, action="read"
    )

    guest = contacts.create_contact(
        tenant=tenant, first_name="Gast", last_name=f"Gast {name}", email=f"gast-{name.lower()}@quartier.test"
    )
    occupancies.move_in(contact=guest, unit=unit, role="additional", first=datetime.date(2024, 1, 1))
    invite = invites.invite_contact(contact=guest, invited_by=boss.user, community=community, unit=unit)  # type: ignore[arg-type]
    asked = rows.create(
        AccessRequest,
        tenant=tenant,
        first_name="Frieda",
        last_name="Frage",
        email=f"frage-{name.lower()}@quartier.test",
    )
    run = runs.start(tenant=tenant, file=io.BytesIO(b"a;b"), filename=f"{name}.csv", user=boss.user, wake_worker=False)
    entry = SignInLog.objects.create(user=person, tenant=tenant, type="login", door="web")
    message = Message.objects.filter(tenant=tenant, to_emails__contains=[guest.email]).latest("id")
    trouble = SystemLog.objects.create(tenant=tenant, category="test", action=f"Fehler {name}")
    job = JobRun.objects.create(name=f"job-{name}", started_at=timezone.now(), ended_at=timezone.now())
    gone = DestructionRecord.objects.create(
        tenant=tenant, kind="document", object_id=1, folder_id=folder.pk, title=f"Weg {name}", reason="manual"
    )
    hold = Hold.objects.create(
        tenant=tenant, title=f"Streit {name}", reason="Klage", contact=guest, placed_by=boss.user
    )
    received = uploads.create(
        user_id=boss.user_id or 0, tenant_id=tenant.pk, door=UPLOAD_DOOR, name="x.pdf", size=5, limit=9
    )
    token = passwords.issue_link(
        person, purpose=OneTimeLink.Purpose.PASSWORD_RESET, lifetime=datetime.timedelta(hours=1), tenant=tenant
    )
    trace = AuditEntry.objects.filter(tenant=tenant, object_type="docms.document", object_id=str(paper.pk)).latest("id")
    mark = ReadMark.objects.get(document=paper, membership=member)
    mailbox = Mailbox.objects.get_or_create(tenant=tenant, defaults={"address": f"hilfe@{name.lower()}.test"})[0]
    arrived = InboundMail.objects.create(
        tenant=tenant, message_id=f"<{name}@x>", outcome="ignored", subject=f"Post {name}"
    )
    settings = OrganizationSettings.objects.get(organization=tenant.pk)
    label = FolderLabel.objects.get(folder=folder)
    app = applications.create(tenant=tenant, values={"name": f"Anwendung {name}"}, user_ids=[person.pk])
    program = oauth_clients.create(
        tenant=tenant, name=f"Programm {name}", is_public=False, addresses=["https://desk.example/back"], may_write=True
    ).client
    suggested = rows.create(LabelSuggestion, tenant=tenant, name=label.name, color=label.color)
    ticket = _ticket(mark_of, community)
    heading = rows.create(TicketTypeGroup, tenant=tenant, name=f"Gruppe {name}")
    case = _case(boss, unit, contact)
    ready = rows.create(CannedReply, tenant=tenant, name=f"Antwort {name}", text="Guten Tag")
    rule = rows.create(AssignmentRule, tenant=tenant, community=community)
    return Place(
        values=_branch(boss, tenant, name, clerks) | ticket | {
            "community_id": community.pk, "building_id": building.pk, "unit_id": unit.pk, "contact_id": guest.pk,
            "tenant_id": tenant.pk, "document_id": paper.pk, "file_id": paper.pk, "folder_id": folder.pk,
            "group_id": group.pk, "user_id": person.pk, "membership_id": member.pk, "run_id": run.pk,
            "message_id": message.pk, "version_no": 1, "name": label.name, "token": token, "code": invite.code,
            "systemlog_id": trouble.pk, "share_id": given.pk, "share_token": share_token, "share_code": share_code,
            "handle": received.handle, "mail": person.email, "donestate": "true", "tfainput": "000000",
            "mailbox_id": mailbox.pk, "app_id": app.pk, "program_id": program.pk, "client_id": program.pk, "kind": "notification", "url": "nirgends", "app_label": "orgs", "content_type_id": _content_type(), "object_id": paper.pk,
        },
        objects={
            "orgs.community": community.pk, "orgs.building": building.pk, "orgs.unit": unit.pk,
            "orgs.contact": contact.pk, "orgs.occupancy": occupancy.pk, "orgs.invite": invite.pk,
            "orgs.accessrequest": asked.pk, "orgs.importrun": run.pk, "orgs.membership": member.pk,
            "orgs.organization": tenant.pk, "orgs.organizationsettings": settings.pk, "orgs.installationsettings": 1,
            "orgs.signinlog": entry.pk, "orgs.application": app.pk, "docms.folder": folder.pk, "docms.document": paper.pk,
            "docms.group": group.pk, "docms.folderlabel": label.pk, "docms.labelsuggestion": suggested.pk,
            "docms.documentlog": log.pk, "docms.readmark": mark.pk, "messaging.message": message.pk,
            "core.jobrun": job.pk, "core.auditentry": trace.pk, "core.systemlog": trouble.pk,
            "core.upload": received.pk, "core.destructionrecord": gone.pk, "orgs.hold": hold.pk,
            "tickets.mailbox": mailbox.pk, "tickets.inboundmail": arrived.pk,
            "tickets.ticket": ticket["ticket_id"], "tickets.tickettype": ticket["type_id"],
            "processes.process": case.pk, "processes.processtype": case.type_id, "processes.processstage": case.stage_id,
            "tickets.tickettypegroup": heading.pk, "tickets.cannedreply": ready.pk, "tickets.assignmentrule": rule.pk,
        },
    )  # fmt: skip


def _case(actor: Actor, unit: Unit, contact: Contact) -> Any:
    """A case of a kind of its own, in its first stage."""
    kind = kinds.create_type(actor=actor, tenant_id=unit.tenant_id, values={"names": {"de": f"Umbau {unit.name}"}})
    stage = kinds.create_stage(actor=actor, process_type=kind, values={"names": {"de": "Antrag"}})
    return cases.open_case(
        actor=actor, unit=unit, contact=contact, process_type=kind, stage=stage, report="<p>Umbau.</p>"
    )


def _ticket(actor: Actor, community: Community) -> dict[str, Any]:
    """A ticket of a resident, with a comment that has a file."""
    ticket = filing.file_ticket(actor=actor, community=community, text="Es tropft.", source="support").ticket
    handle = uploads.receive(
        io.BytesIO(b"Notiz"),
        user_id=actor.user_id or 0,
        tenant_id=community.tenant_id,
        door="support",
        name="x.txt",
        limit=9,
    ).handle
    said = comments.add_comment(
        actor=actor, ticket=ticket, text="Und?", source="support", files=Files([handle], "support")
    ).activity
    assert actor.user is not None
    kind = TicketType.objects.create(tenant=community.tenant, name=f"Art {community.name}")
    TicketTypeCommunity.objects.create(tenant=community.tenant, ticket_type=kind, community=community)
    return {
        "ticket_id": ticket.pk, "type_id": kind.pk, "ticket_ref": str(ticket.uuid), "comment_ref": str(said.uuid), "attachment_key": handle,
        "location_ref": str(community.uuid), "user_ref": str(actor.user.uuid),
    }  # fmt: skip


def _branch(boss: Actor, tenant: Organization, name: str, clerks: tuple[User, ...]) -> dict[str, Any]:
    """An organization below the tenant, in which the clerks of the house work, with a second owner and an invited one."""
    top = Organization.objects.get(pk=tenant.pk)
    branch = tree.create(actor=boss, parent=top, values={"name": f"Zweig {name}"})
    for clerk in clerks:
        add_member(user=clerk, organization=branch, role="staff")
    coowner, invitee = account(f"coowner-{name.lower()}"), account(f"invitee-{name.lower()}")
    add_member(user=coowner, organization=branch, role="owner")
    avatars.store(actor=boss, organization=branch, file=io.BytesIO(material.picture()))
    sent: list[str] = []

    def note(sender: Any, *, token: str, **_: Any) -> None:
        sent.append(token)

    owner_invited.connect(note)
    owners.invite(actor=boss, organization=branch, email=invitee.email)
    owner_invited.disconnect(note)
    assert branch.avatar is not None
    return {
        "organization_id": branch.pk, "coowner_id": coowner.pk, "invitee_id": invitee.pk, "invitation_id": sent[0],
        "key": branch.avatar.storage_key,
    }  # fmt: skip


def _sign_in(world: World, role: str, person: User | None) -> None:
    """A browser, and a token of the documents door, of one role; with what only this person has."""
    world.personal[role] = {}
    if person is None:
        for place, whose in (("A", world.cast.renter), ("B", world.cast.neighbour), ("X", world.cast.foreigner)):
            token = tokens.issue(kind="personal", user=whose, expires_in=None)[1]
            device = Session.objects.filter(user=whose).latest("id")
            world.personal[role][place] = {"session_id": device.pk, "token_id": token.pk}
        return
    world.cookies[role] = browser(person).cookies["user_session"].value
    # However long the matrix takes, no request is the one that notes that the session is in use, and says so in a cookie.
    Session.objects.filter(user=person).update(last_seen_at=timezone.now() + datetime.timedelta(days=1))
    home = world.cast.other_tenant if role == "other" else world.cast.tenant
    world.tokens[role] = bearer(person, home).token
    world.personal_tokens[role] = tokens.issue(kind="personal", user=person, expires_in=None)[0]
    secret, _row = tokens.issue(
        kind="basic", user=person, organization=home, public_id=f"matrix-{role}", scopes=["support"], expires_in=None
    )
    world.credentials[role] = "Basic " + base64.b64encode(f"matrix-{role}:{secret}".encode()).decode()
    people = {"A": world.cast.renter, "B": world.cast.neighbour, "X": world.cast.foreigner}
    for place, whose in (people | {HOMES.get(role, "A"): person}).items():
        device = Session.objects.create(
            session_key=f"{role}-{place}".ljust(32).encode(),
            user=whose,
            expires_at=timezone.now() + datetime.timedelta(1),
        )
        with scope.unit_of_work(door="test", user_id=whose.pk):
            handle, web_handle, ticket_handle = (
                uploads.create(user_id=whose.pk, tenant_id=home.pk, door=door, name="x.pdf", size=5, limit=9).handle
                for door in (UPLOAD_DOOR, WEB_UPLOAD_DOOR, TICKET_DOOR)
            )
        token = tokens.issue(kind="personal", user=whose, expires_in=None)[1]
        world.personal[role][place] = {
            "session_id": device.pk, "handle": handle, "web_handle": web_handle, "ticket_handle": ticket_handle,
            "token_id": token.pk,
        }  # fmt: skip
