"""What the fuzzed operations find: rows of every kind in two companies, and the people who call, signed in for real."""

from __future__ import annotations

import base64
import datetime
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from core import scope
from core.models import SystemLog
from core.services import rows, uploads
from docms.models import Document, FolderLabel, FolderTemplate, Group, LabelSuggestion
from docms.services import documents, folders, groups, marks, permissions, shares, texts
from messaging.models import Message
from orgs.models import OneTimeLink, OrganizationSettings
from orgs.services import applications, owners, passwords, second_factor, tree
from orgs.services.tenants import add_member
from orgs.services.tokens import issue
from orgs.signals import owner_invited
from tests.cast import DOCUMENT_FLAGS, PASSWORD
from tests.docms.door import link_and_code
from tests.factories import folder, manual_group, publish, stored
from tickets.services import comments, filing
from tickets.services.attachments import Files

if TYPE_CHECKING:
    from docms.models import Folder
    from orgs.models import Community
    from tests.cast import Cast

DOCMS, ORGS, SUPPORT = "/docms/api/v1", "/api/v1/", "/support/"
PERSONAL = "Personal-Access-Token"
# Sends a request with these headers; gives the status and the parsed body.
Knock = Callable[[str, dict[str, str]], tuple[int, Any]]
# Who calls. `nobody` has no token; `pending` has not chosen a company; `waiting` owes the code of a second factor.
ROLES = ("admin", "staff", "resident", "member", "operator", "pending", "waiting", "nobody")
# The administrator gets furthest and calls most.
WEIGHTED = ("admin",) * 15 + ("staff", "resident", "operator") * 2 + ROLES
_PEOPLE = {
    "admin": "admin", "staff": "staff", "resident": "owner", "member": "renter", "operator": "operator",
    "pending": "admin", "waiting": "guest",
}  # fmt: skip


@dataclass(frozen=True)
class Pool:
    """Values of one parameter: those of the callers' company, and those of the other one."""

    own: tuple[Any, ...]
    foreign: tuple[Any, ...] = ()


@dataclass
class World:
    """Values by the kind of parameter, and what each role signs in with at each door."""

    values: dict[str, Pool]
    secrets: list[str]  # keys of second factors
    led: dict[str, int]  # a group that the administrator administers, and a member of it, by parameter
    credentials: dict[str, str] = field(default_factory=dict)  # Authorization of the documents door
    personal: dict[str, str] = field(default_factory=dict)  # tokens of the organizations door
    support: dict[str, str] = field(default_factory=dict)  # Authorization of the support door

    def signed_in(self, path: str, role: str) -> dict[str, str]:
        """The headers of a role at the door of a path of its document."""
        if path.startswith(ORGS):
            return {PERSONAL: self.personal[role]} if role in self.personal else {}
        held = self.support if path.startswith(SUPPORT) else self.credentials
        return {"Authorization": held[role]} if role in held else {}


def build(cast: Cast) -> World:
    """Folders, groups, papers, marks, logs, mails and links in both companies."""
    with scope.unit_of_work(door="test"):
        add_member(
            user=cast.operator, organization=cast.tenant, role="staff", admin_perm=True, super_admin_perm=True,
            **dict.fromkeys(DOCUMENT_FLAGS, True),
        )  # fmt: skip
        own_groups, own_folders, own_files = _company(cast)
        far_group, far_folder, far_file = _other_company(cast)
        tokens = _links(cast)
        secrets = _second_factor(cast)
        _mails(cast)
        led = _led(cast)
        given = _given(cast, own_folders[0], own_files[0]) | _organizations(cast) | _tickets(cast)
        personal = {
            role: issue(kind="personal", user=getattr(cast, who), expires_in=None)[0] for role, who in _PEOPLE.items()
        }
        support = {role: _support(cast, role, who) for role, who in _PEOPLE.items()}
    people = [cast.admin, cast.staff, cast.owner, cast.renter, cast.operator, cast.guest]
    return World(
        {
            "folder": Pool(_ids(own_folders), _ids([far_folder])),
            "group": Pool(_ids(own_groups), _ids([far_group])),
            "user": Pool(_ids(people), _ids([cast.stranger, cast.foreigner])),
            "file": Pool(_ids(own_files), _ids([far_file])),
            "tenant": Pool((cast.tenant.pk,), (cast.other_tenant.pk,)),
            "version": Pool((1, 2)),
            "flag": Pool(("true", "false")),
            "label": Pool(("Wichtig", "wichtig", "Größe/Maß", "Protokoll 2024")),
            "mail": Pool(tuple(person.email for person in people), ("nobody@quartier.test",)),
            "token": Pool(tuple(tokens)),
            **given,
        },
        secrets,
        led,
        personal=personal,
        support=support,
    )


def _ids(found: list[Any]) -> tuple[int, ...]:
    return tuple(row.pk for row in found)


def _company(cast: Cast) -> tuple[list[Group], list[Folder], list[Document]]:
    everybody = manual_group(cast, "Alle", "staff", "owner", "renter", "guest", groupadmin_ids=[cast.staff.pk])
    board = manual_group(cast, "Beirat", "owner", show_check_mark=True)
    house = groups.derived_group(tenant=cast.tenant, community=cast.house_a)
    papers = folder(cast, "Papiere", [everybody, board], show_check_mark=True)
    minutes = folder(cast, "Protokolle", house, parent=papers, community=cast.house_a)
    archive = folder(cast, "Archiv", everybody, inactive_at=timezone.now() - datetime.timedelta(days=1))
    secret = folder(cast, "Vorstand", board)
    locked = folder(cast, "Gesperrt", everybody, allow_delete_files=timezone.now() + datetime.timedelta(days=30))
    for name, color in (("Wichtig", "#aa0000"), ("Größe/Maß", "#00aa00"), ("Protokoll 2024", "#0000aa")):
        rows.create(FolderLabel, tenant=cast.tenant, folder=papers, name=name, color=color)
    letter = publish(cast, papers, title="Brief", label_name="Wichtig", description="Über Öl & Wärme")
    documents.change_document(actor=cast.actor("admin"), document=letter, changes={}, blob=stored(cast.tenant))
    minute = publish(cast, minutes, title="Protokoll", active_from=timezone.now() - datetime.timedelta(days=3))
    picture = publish(cast, papers, who="staff", content=b"kein Bild", filename="foto.xyz", allow_download=False)
    once = publish(cast, papers, title="Einmal", delete_after_next_download=True)
    kept = publish(cast, locked, title="Aufzuheben")
    hidden = publish(cast, secret, title="Nur für den Beirat", content=b"a,b\n1,2\n", filename="liste.csv")
    gone = publish(cast, papers, title="Gelöscht")
    admin = cast.actor("admin")
    documents.delete_document(actor=admin, document=gone)
    permissions.set_permission(
        actor=admin, folder=papers, user_id=cast.owner.pk,
        flags=dict.fromkeys(("read", "download", "upload", "edit", "edit_own", "mail", "log"), True),
    )  # fmt: skip
    permissions.set_permission(actor=admin, folder=secret, user_id=cast.renter.pk, flags={"read": True})
    for who in ("owner", "renter", "admin"):
        marks.set_favourite(folder_id=papers.pk, actor=cast.actor(who), on=True)
    marks.mark_read(document_id=letter.pk, actor=cast.actor("owner"))
    return (
        [everybody, board, house],
        [papers, minutes, archive, secret, locked],
        [letter, minute, picture, once, kept, hidden],
    )


def _other_company(cast: Cast) -> tuple[Group, Folder, Document]:
    boss = cast.actor("stranger")
    group = groups.create_group(actor=boss, tenant=cast.other_tenant, name="Dort", user_ids=[cast.foreigner.pk])
    place = folders.create_folder(actor=boss, tenant=cast.other_tenant, name="Dort", group_ids=[group.pk])
    paper = documents.publish(
        actor=boss, folder=place, blob=stored(cast.other_tenant, b"Dort"), filename="dort.txt", title="Dort"
    )
    return group, place, paper


def _led(cast: Cast) -> dict[str, int]:
    """Group administration is switched on, and the administrator has a group of residents."""
    chosen = OrganizationSettings.objects.get(organization=cast.tenant)
    switches = [field.name for field in OrganizationSettings._meta.fields if field.name.startswith("groupadmin_")]
    rows.change(chosen, dict.fromkeys(switches, True))
    group = manual_group(cast, "Verwaltete", "admin", "renter", "former", groupadmin_ids=[cast.admin.pk])
    return {"groupId": group.pk, "userId": cast.renter.pk}


def _given(cast: Cast, place: Folder, paper: Document) -> dict[str, Pool]:
    """A gateway, a share, an application, texts and rules of a folder, suggested labels, what a client reported."""
    chosen = OrganizationSettings.objects.get(organization=cast.tenant)
    rows.change(
        chosen, {"sms_send_url": "https://sms.example/", "sms_api_key": "geheim", "sms_sender_id": "Haus"}, check=False
    )
    admin = cast.actor("admin")
    share = shares.share(
        actor=admin, document=paper, name="Nina", mobile_number="+491701234567", email="nina@example.org"
    )
    token, _code = link_and_code(share.pk)
    app = applications.create(tenant=cast.tenant, values={"name": "App"}, user_ids=[cast.admin.pk, cast.renter.pk])
    for kind in FolderTemplate.Kind.values:
        texts.store_text(actor=admin, folder=place, kind=kind, values={"subject": "Neu", "body": "Neu"})
    permissions.set_mail_rule(
        actor=admin, folder=place, user_id=cast.admin.pk, custom=True, recipient_ids=[cast.owner.pk]
    )
    for name in ("Wichtig", "Größe/Maß", "Protokoll 2024"):
        rows.create(LabelSuggestion, tenant=cast.tenant, name=name, color="#aa0000")
    entry = SystemLog.objects.create(tenant=cast.tenant, user=cast.renter, category="frontend", action="Absturz")
    return {
        "app": Pool((app.pk,)), "share": Pool((share.pk,)), "share_token": Pool((token,)), "systemlog": Pool((entry.pk,)),
    }  # fmt: skip


def _organizations(cast: Cast) -> dict[str, Pool]:
    """A branch of the company with a second owner and an invited one, a tree outside of it, and somebody else's."""
    admin = cast.actor("admin")
    branch = tree.create(actor=admin, parent=cast.tenant, values={"name": "Zweig"})
    apart = tree.create(actor=admin, parent=None, values={"name": "Daneben"})
    admin = cast.actor("admin")  # who owns what was just made
    below = tree.create(actor=admin, parent=apart, values={"name": "Darunter"})
    far = tree.create(actor=cast.actor("stranger"), parent=None, values={"name": "Fremd"})
    add_member(user=cast.staff, organization=apart, role="owner")
    sent: list[str] = []

    def note(sender: Any, *, token: str, **_: Any) -> None:
        sent.append(token)

    owner_invited.connect(note)
    owners.invite(actor=admin, organization=apart, email=cast.owner.email)
    owner_invited.disconnect(note)
    return {
        "organization": Pool((apart.pk, branch.pk, below.pk, cast.tenant.pk), (far.pk, cast.other_tenant.pk)),
        "parent": Pool((0, apart.pk, branch.pk), (far.pk,)),
        "invitation": Pool(tuple(sent)),
    }


def _tickets(cast: Cast) -> dict[str, Pool]:
    """Tickets with comments and files in both companies, and an upload that waits."""
    found: dict[str, list[Any]] = {"ticket": [], "activity": [], "attachment": []}
    for who, house in (
        ("renter", cast.house_a), ("owner", cast.house_a), ("neighbour", cast.house_b), ("foreigner", cast.foreign_house),
    ):  # fmt: skip
        actor = cast.actor(who)
        ticket = filing.file_ticket(actor=actor, community=house, text="Es tropft.", source="support").ticket
        files = Files([_uploaded(house, actor.user_id)], "support")
        said = comments.add_comment(actor=actor, ticket=ticket, text="Und?", source="support", files=files).activity
        for kind, value in (("ticket", ticket.uuid), ("activity", said.uuid), ("attachment", files.handles[0])):
            found[kind].append(str(value))
    houses = [str(house.uuid) for house in (cast.house_a, cast.house_b)]
    users = [str(person.uuid) for person in (cast.renter, cast.owner, cast.staff, cast.admin)]
    members = [str(cast.membership(who).uuid) for who in ("renter", "owner", "staff", "admin")]
    return {
        "location": Pool(tuple(houses), (str(cast.foreign_house.uuid),)),
        "account": Pool(tuple(users), (str(cast.foreigner.uuid),)),
        "membership": Pool(tuple(members)),
        "upload": Pool((_uploaded(cast.house_a, cast.admin.pk),), (_uploaded(cast.house_a, cast.renter.pk),)),
        **{kind: Pool(tuple(values[:-1]), (values[-1],)) for kind, values in found.items()},
    }


def _uploaded(house: Community, user_id: int | None) -> str:
    return uploads.receive(
        io.BytesIO(b"Notiz"), user_id=user_id or 0, tenant_id=house.tenant_id, door="support", name="notiz.txt", limit=9
    ).handle


def _support(cast: Cast, role: str, who: str) -> str:
    """The header of basic credentials that act as a persona."""
    client_id = f"fuzz-{role}"
    secret, _row = issue(
        kind="basic", user=getattr(cast, who), organization=cast.tenant, public_id=client_id, scopes=["support"],
        expires_in=None,
    )  # fmt: skip
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def _links(cast: Cast) -> list[str]:
    """A link that works, and one that was used."""
    day = datetime.timedelta(days=1)
    used = passwords.issue_link(cast.foreigner, purpose=OneTimeLink.Purpose.PASSWORD_RESET, lifetime=day)
    good = passwords.issue_link(cast.former, purpose=OneTimeLink.Purpose.PASSWORD_RESET, lifetime=day)
    passwords.set_by_link(used, PASSWORD)
    return [good, used]


def _second_factor(cast: Cast) -> list[str]:
    """The guest has one, the member has begun to set one up. Returns the keys."""
    key = second_factor.start(cast.guest, cast.tenant)
    rows.change(key, {"confirmed_at": timezone.now(), "confirmed": True})
    return [key.secret, second_factor.start(cast.renter, cast.tenant).secret]


def _mails(cast: Cast) -> None:
    """One that left and one that did not."""
    now = timezone.now()
    common = {"tenant": cast.tenant, "kind": "upload", "language": "de"}
    Message.objects.create(
        **common, dedupe_key="fuzz-1", message_id="<1@quartier.test>", to_emails=["renter@quartier.test"], subject="Neue Unterlagen", state="sent",
        sent_at=now,
    )  # fmt: skip
    Message.objects.create(
        **common, dedupe_key="fuzz-2", message_id="<2@quartier.test>", to_emails=["x@quartier.test"], subject="Neue Unterlagen", state="failed",
        error_msg="550 no such user",
    )  # fmt: skip


def basic(who: str, password: str = PASSWORD) -> str:
    """The header of somebody who signs in with a password."""
    return "Basic " + base64.b64encode(f"{who}@quartier.test:{password}".encode()).decode()


def basic_of(role: str) -> str:
    """The same for a role; nobody has a wrong password."""
    return basic(_PEOPLE[role]) if role in _PEOPLE else basic("renter", "falsch")


def sign_in(world: World, knock: Knock, roles: Iterable[str] = tuple(_PEOPLE)) -> None:
    """They come in through the door: `login`, and for most `select-tenant`."""
    tenant = world.values["tenant"].own[0]
    for role in roles:
        who = _PEOPLE[role]
        status, body = knock(f"{DOCMS}/login", {"Authorization": basic(who)})
        assert status == 200, (role, status, body)
        bearer = f"Bearer {body['token']}"
        if role != "pending":
            status, body = knock(f"{DOCMS}/select-tenant/{tenant}", {"Authorization": bearer})
            assert (status, body["tfa_needed"]) == (200, role == "waiting"), (role, status, body)
        world.credentials[role] = bearer
