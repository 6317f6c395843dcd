"""The people and places of a large world, by COPY: as many as asked for, in one managing company.

The rows are those of a register import, an account for each person and a seat in the tenant; the same seed makes the
same ones. `register` tells them as the import reads them, so that a test can have the services write the same world.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from core.services.bulk import Loader
from core.text import sort_key
from orgs.demo import FIRST, LAST, PASSWORD, Company
from orgs.models import (
    Building,
    Community,
    CommunityAssignment,
    Contact,
    ContactIndex,
    Membership,
    Occupancy,
    Organization,
    Responsibility,
    Unit,
    User,
)
from orgs.services import contacts, occupancies
from orgs.services.register import RawRow
from orgs.services.register.parsing import ParsedRow, RowParser

ENTRANCE = 10  # units behind one door
_STREETS = ("Ahornstraße", "Merheimer Straße", "Sebastianstraße", "Neusser Straße", "Am Bilderstöckchen", "Lindenweg")
_FLOORS = ("EG", "1. OG", "2. OG", "3. OG", "DG")
LOGINS = ("owner@demo.test", "renter@demo.test")  # of the first owner and the first renter


@dataclass(frozen=True)
class Resident:
    """One person of the register with an account, and where that person lives."""

    user_id: int
    contact_id: int
    membership_id: int
    unit_id: int
    role: str


@dataclass(frozen=True)
class LargeHouse:
    """What the floors above build on: rows that are about to be written, in their order."""

    company: Company
    communities: Sequence[Community]
    units: dict[int, list[Unit]]  # by community
    residents: dict[int, list[Resident]]  # by community


def register(seed: int, *, communities: int, residents: int) -> Iterator[RawRow]:
    """The register of that company, line by line: an owner and a renter for each unit.

    Every tenth owner has rented the same unit before.
    """
    rng = random.Random(seed)  # noqa: S311 - a demo, not a secret
    person, line = 0, 1
    for index in range(communities):
        street = f"{_STREETS[index % len(_STREETS)]}"
        here = residents // communities + (index < residents % communities)
        for number in range(here):
            unit, role = number // 2, ("owner", "renter")[number % 2]
            house = 2 * (unit // ENTRANCE) + 1 + 40 * (index // len(_STREETS))
            base = {
                "community_ref": f"{index + 1:04d}", "community": f"{street} {40 * (index // len(_STREETS)) + 1} ff.",
                "street": street, "house_number": str(house), "postal_code": f"{50667 + index % 300}", "city": "Köln",
                "unit_ref": f"{unit + 1:03d}",
                "unit": f"Wohnung {unit + 1:03d} · {_FLOORS[unit % ENTRANCE // 2]} {('links', 'rechts')[unit % 2]}",
            }  # fmt: skip
            person += 1
            last = rng.choice(LAST)
            who = {
                "contact_ref": f"P{person:06d}", "kind": Contact.Kind.PERSON, "first_name": rng.choice(FIRST),
                "last_name": last, "email": LOGINS[person - 1] if person <= 2 else f"p{person:06d}@demo.test",
                "telephone": f"+49 221 {rng.randint(100000, 999999)}", "language": "de",
            }  # fmt: skip
            year = rng.randint(2010, 2024)
            line += 1
            yield RawRow(line, base | who | {"role": role, "from": f"{year}-{rng.randint(1, 12):02d}-01"})
            if role == "owner" and unit % 10 == 9:
                line += 1
                yield RawRow(line, base | who | {"role": "renter", "from": "2008-04-01", "until": f"{year - 1}-12-31"})


def build(company: Company, lines: Sequence[RawRow], loader: Loader, *, first_number: int) -> LargeHouse:
    """Write what the lines of a register say, and an account for each person.

    ``first_number`` is the first of as many numbers of the register as there are people.
    """
    parsed = [row for line in lines if (row := RowParser(line).parse()) is not None]
    assert len(parsed) == len(lines), "the register of the demo is right"
    places = _Places(company.tenant, parsed, loader)
    people = _People(company.tenant, parsed, loader, first_number)
    loader.copy(Community, places.communities.values())
    loader.copy(Building, places.buildings.values())
    loader.copy(Unit, places.units.values())
    loader.copy(User, people.users.values())
    loader.copy(Membership, people.memberships.values())
    loader.copy(Contact, people.contacts.values())
    loader.copy(ContactIndex, (ContactIndex(contact=c, text=contacts.search_text(c)) for c in people.contacts.values()))
    house = LargeHouse(company, list(places.communities.values()), {}, {})
    for unit in places.units.values():
        house.units.setdefault(unit.community_id, []).append(unit)
    loader.copy(Occupancy, _occupancies(parsed, places, people, house))
    return house


def appoint(house: LargeHouse, clerk: Contact, loader: Loader) -> None:
    """The clerk answers for every community, and looks after the first two."""
    tenant = house.company.tenant
    loader.copy(
        Responsibility,
        (
            Responsibility(
                tenant=tenant,
                contact=clerk,
                community=community,
                type=Responsibility.Type.MANAGER,
                title="Ihre Verwaltung",
                position=1,
                show_on_dashboard=True,
                publish_email=True,
                publish_telephone=True,
                period=occupancies.period(None, None),
            )
            for community in house.communities
        ),
    )
    loader.copy(
        CommunityAssignment,
        (
            CommunityAssignment(tenant=tenant, membership=house.company.clerk, community=community)
            for community in house.communities[:2]
        ),
    )


class _Places:
    """Communities, entrances and units by what the register calls them."""

    def __init__(self, tenant: Organization, parsed: Sequence[ParsedRow], loader: Loader) -> None:
        self.communities: dict[str, Community] = {}
        self.buildings: dict[tuple[str, str], Building] = {}
        self.units: dict[tuple[str, str], Unit] = {}
        for row in parsed:
            ref, name = row.community["identifier"], row.community["name"]
            assert row.building is not None
            if ref not in self.communities:
                self.communities[ref] = Community(
                    tenant=tenant,
                    organization=tenant,
                    identifier=ref,
                    name=name,
                    sort_key=sort_key(name),
                    **row.building,
                )
            self.buildings.setdefault((ref, row.building["street"]), Building(tenant=tenant, **row.building))
            self.units.setdefault(
                (ref, row.unit["identifier"]), Unit(tenant=tenant, number=row.unit["identifier"], **row.unit)
            )
        loader.number(Community, self.communities.values())
        loader.number(Building, self.buildings.values())
        loader.number(Unit, self.units.values())
        position: dict[str, int] = {}
        for (ref, _street), building in self.buildings.items():
            building.community = self.communities[ref]
            building.position = position.get(ref, 0)
            position[ref] = building.position + 1
        for row in parsed:
            assert row.building is not None
            ref = row.community["identifier"]
            unit = self.units[ref, row.unit["identifier"]]
            unit.community = self.communities[ref]
            unit.building = self.buildings[ref, row.building["street"]]


class _People:
    """Accounts, their seats and their entries in the register, by the register's reference."""

    def __init__(self, tenant: Organization, parsed: Sequence[ParsedRow], loader: Loader, first_number: int) -> None:
        self.users: dict[str, User] = {}
        self.contacts: dict[str, Contact] = {}
        self.memberships: dict[str, Membership] = {}
        password = make_password(PASSWORD)  # one for all: a hundred milliseconds each would be half an hour
        for row in parsed:
            assert row.tenancy is not None
            values = row.tenancy.contact
            ref = values["reference_id"]
            if ref in self.users:
                continue
            names = {key: values[key] for key in ("first_name", "last_name", "email", "language")}
            self.users[ref] = User(password=password, username=values["email"], **names)
            self.contacts[ref] = Contact(
                tenant=tenant,
                sort_key=contacts.contact_sort_key(values["last_name"], values["first_name"], values["company"]),
                row_version=2,  # imported, then linked to the account
                **values,
            )
            self.memberships[ref] = Membership(
                organization=tenant,
                tenant=tenant,
                role=Membership.Role.RESIDENT,
                **occupancies.RESIDENT_FLAGS,
            )
        loader.number(User, self.users.values())
        loader.number(Contact, self.contacts.values())
        loader.number(Membership, self.memberships.values())
        for number, (ref, contact) in enumerate(self.contacts.items(), first_number):
            contact.number = str(number)
            contact.user = self.memberships[ref].user = self.users[ref]


def _occupancies(
    parsed: Sequence[ParsedRow], places: _Places, people: _People, house: LargeHouse
) -> Iterator[Occupancy]:
    for row in parsed:
        assert row.tenancy is not None
        ref = row.tenancy.contact["reference_id"]
        unit = places.units[row.community["identifier"], row.unit["identifier"]]
        contact = people.contacts[ref]
        if row.tenancy.last is None:
            house.residents.setdefault(unit.community_id, []).append(
                Resident(people.users[ref].pk, contact.pk, people.memberships[ref].pk, unit.pk, row.tenancy.role)
            )
        yield Occupancy(
            tenant_id=unit.tenant_id,
            contact=contact,
            unit=unit,
            role=row.tenancy.role,
            is_admin=row.tenancy.is_admin,
            period=occupancies.period(row.tenancy.first, row.tenancy.last),
        )
