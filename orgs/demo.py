"""The demo's people and places: a believable company, made through the real services."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass, field
from typing import Any

from core.services import rows
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
from orgs.services.tenants import add_member, add_operator, create_tenant

PASSWORD = "Quartier-Demo-1"  # noqa: S105 - printed on purpose; the demo refuses production settings
ALL_DOCUMENT_FLAGS = dict.fromkeys(
    ("read_perm", "download_perm", "upload_file_perm", "edit_file_perm", "edit_own_file_perm", "log_perm", "mail_perm"),
    True,
)
CASE_FLAGS = dict.fromkeys(("process_create_perm", "process_update_perm", "process_delete_perm"), True)

FIRST = [
    "Miriam",
    "Jonas",
    "Sabine",
    "Peter",
    "Aylin",
    "Thomas",
    "Katarzyna",
    "Jürgen",
    "Ursula",
    "Mehmet",
    "Anna",
    "Lukas",
    "Renate",
    "Stefan",
    "Eva",
    "Wolfgang",
    "Lena",
    "Paweł",
    "Brigitte",
    "Michael",
    "Claire",
    "Andreas",
    "Heike",
    "Dieter",
    "Sophie",
    "Martin",
    "Monika",
    "Felix",
    "Ingrid",
    "Tobias",
    "Elif",
    "Günther",
    "Julia",
    "Frank",
    "Petra",
    "Emil",
]
LAST = [
    "Sommer",
    "Brandt",
    "Wolters",
    "Keller",
    "Yılmaz",
    "Schröder",
    "Nowak",
    "Weiß",
    "Hoffmann",
    "Demir",
    "Lehmann",
    "Krüger",
    "Peters",
    "Zimmermann",
    "Vogel",
    "Jansen",
    "Müller",
    "Żółtowski",
    "Becker",
    "Roth",
    "Dubois",
    "Lorenz",
    "Kühn",
    "Fuchs",
    "Baumann",
    "Schäfer",
    "Engel",
    "Winkler",
    "Groß",
    "Heinrich",
    "Öztürk",
    "Seidel",
    "Simon",
    "Pohl",
]
_COMMUNITIES = (
    (
        "100",
        "Ahornstraße 12–16",
        "50733",
        "Köln",
        (("Ahornstraße 12", 8), ("Ahornstraße 14", 8), ("Ahornstraße 16", 8)),
    ),
    ("200", "Merheimer Hof", "50735", "Köln", (("Merheimer Hof 1", 10), ("Merheimer Hof 3", 10))),
    ("300", "Wohnpark Niehl", "50737", "Köln", (("Sebastianstraße 40", 8), ("Sebastianstraße 42", 8))),
)
_FLOORS = (
    "EG links",
    "EG rechts",
    "1. OG links",
    "1. OG rechts",
    "2. OG links",
    "2. OG rechts",
    "3. OG links",
    "3. OG rechts",
    "DG links",
    "DG rechts",
)


@dataclass
class DemoHouse:
    """What the floors above build on."""

    tenant: Organization
    operator: User
    admin: User
    staff: User
    owner: User
    renter: User
    stranger: User
    communities: list[Community] = field(default_factory=list)


@dataclass(frozen=True)
class Company:
    """A managing company with an administrator and a clerk; the stranger runs another one."""

    tenant: Organization
    operator: User
    admin: User
    staff: User
    clerk: Membership
    stranger: User


def build(rng: random.Random) -> DemoHouse:
    """Two companies; the first with 3 communities, 60 units and their people."""
    made = company()
    tenant = made.tenant
    rows.change(
        tenant.settings,
        {"accent_color": "#1f5c4a", "imprint": "Brandt & Keller Hausverwaltung GmbH, Neusser Straße 410, 50733 Köln"},
    )
    register.import_rows(_register(rng), tenant=tenant)
    communities = list(Community.objects.filter(tenant=tenant).order_by("identifier"))
    for community in communities[:2]:
        rows.create(CommunityAssignment, tenant=tenant, membership=made.clerk, community=community)
    for community in communities:
        _responsible(community, made.staff, "MANAGER", "Ihre Verwaltung", position=1)
        _emergency(community)
    owner = _resident("owner", communities[0], "07", "owner", tenant)
    renter = _resident("renter", communities[0], "12", "renter", tenant)
    return DemoHouse(tenant, made.operator, made.admin, made.staff, owner, renter, made.stranger, communities)


def company() -> Company:
    """Two companies without communities, and whoever works there."""
    operator = _account("operator", "Olga", "Petersen", is_superuser=True)
    tenant = create_tenant(name="Brandt & Keller Hausverwaltung", created_by=operator)
    add_operator(operator=operator, tenant=tenant)
    admin = _account("admin", "Sabine", "Wolters", home_tenant=tenant)
    add_member(
        user=admin, organization=tenant, role=Membership.Role.OWNER, admin_perm=True, super_admin_perm=True,
        all_communities=True, support_perm=True, **ALL_DOCUMENT_FLAGS, **CASE_FLAGS,
    )  # fmt: skip
    staff = _account("staff", "Jonas", "Brandt", home_tenant=tenant)
    clerk = add_member(user=staff, organization=tenant, role=Membership.Role.STAFF, **ALL_DOCUMENT_FLAGS, **CASE_FLAGS)
    other = create_tenant(name="Nordhaus Immobilien", created_by=operator)
    stranger = _account("stranger", "Nils", "Petersen", home_tenant=other)
    add_member(
        user=stranger, organization=other, role=Membership.Role.OWNER, admin_perm=True, super_admin_perm=True,
        all_communities=True, **ALL_DOCUMENT_FLAGS,
    )  # fmt: skip
    return Company(tenant, operator, admin, staff, clerk, stranger)


def _account(name: str, first: str, last: str, **values: Any) -> User:
    return create_account(email=f"{name}@demo.test", first_name=first, last_name=last, password=PASSWORD, **values)


def _emergency(community: Community) -> None:
    """The number for the night."""
    service = contacts.create_contact(
        tenant=community.tenant, last_name="Hausnotdienst Köln", telephone="+49 221 4710112", kind="company"
    )
    _answers_for(community, service, "EMERGENCY", "Notruf für das Haus, rund um die Uhr", position=0)


def _responsible(community: Community, user: User, kind: str, title: str, position: int) -> None:
    contact = contacts.contact_for(user, community.tenant)
    rows.change(contact, {"telephone": "+49 221 4710100"})
    _answers_for(community, contact, kind, title, position)


def _answers_for(community: Community, contact: Contact, kind: str, title: str, position: int) -> None:
    rows.create(
        Responsibility,
        tenant=community.tenant,
        contact=contact,
        community=community,
        type=kind,
        title=title,
        position=position,
        show_on_dashboard=True,
        publish_email=True,
        publish_telephone=True,
        period=occupancies.period(datetime.date(2020, 1, 1), None),
    )


def _resident(name: str, community: Community, unit_ref: str, role: str, tenant: Organization) -> User:
    """The demo login takes the place of whoever has that role in the unit, or moves in."""
    unit = Unit.objects.get(community=community, identifier=unit_ref)
    first, last = {"owner": ("Miriam", "Sommer"), "renter": ("Paweł", "Nowak")}[name]
    user = _account(name, first, last, home_tenant=tenant)
    occupancy = (
        Occupancy.objects.filter(unit=unit, role=role).valid_on(tenant.today()).select_related("contact").first()
    )
    if occupancy is None:
        contact = contacts.create_contact(tenant=tenant, first_name=first, last_name=last, email=user.email)
        contacts.link_account(contact, user)
        occupancies.move_in(contact=contact, unit=unit, role=role, first=datetime.date(2019, 5, 1))
    else:
        contact = occupancy.contact
        contacts.change_contact(contact, {"first_name": first, "last_name": last, "email": user.email})
        contacts.link_account(contact, user)
        contact.refresh_from_db()
        occupancies.seat(contact)
    return user


def _register(rng: random.Random) -> list[register.RawRow]:
    """The rows of a register file, as a property manager's old software would export them."""
    lines: list[register.RawRow] = []
    person = 0
    for ref, name, postal_code, city, entrances in _COMMUNITIES:
        number = 0
        for street, count in entrances:
            road, house = street.rsplit(" ", 1)
            for index in range(count):
                number += 1
                base = {
                    "community_ref": ref, "community": name, "street": road, "house_number": house,
                    "postal_code": postal_code, "city": city, "unit_ref": f"{number:02d}",
                    "unit": f"Wohnung {number:02d} · {_FLOORS[index]}",
                }  # fmt: skip
                roles = rng.choice(
                    (("owner",), ("owner", "renter"), ("owner", "renter", "additional"), ("owner", "renter"))
                )
                surname = rng.choice(LAST)
                for role in roles:
                    person += 1
                    if role != "additional":
                        surname = rng.choice(LAST)
                    lines.append(register.RawRow(len(lines) + 2, base | _person(rng, person, role, surname)))
    return lines


def _person(rng: random.Random, number: int, role: str, surname: str) -> dict[str, str]:
    first = rng.choice(FIRST)
    year = rng.randint(2008, 2024)
    return {
        "contact_ref": f"P{number:04d}",
        "kind": Contact.Kind.PERSON,
        "first_name": first,
        "last_name": surname,
        # One in ten prefers paper.
        "email": "" if rng.random() < 0.1 else f"person{number}@post.demo.test",
        "telephone": f"+49 221 {rng.randint(100000, 999999)}",
        "role": role,
        "is_admin": "",
        "from": f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.{year}",
        "language": "pl" if first in ("Paweł", "Katarzyna") else "fr" if first == "Claire" else "de",
    }
