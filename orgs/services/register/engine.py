"""Rows become a register: all or nothing, repeatable by reference, in a handful of statements per 1,000 rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from core.models import AuditEntry
from core.services import audit
from core.text import sort_key
from orgs.models import Building, Community, Contact, Occupancy, Organization, Unit
from orgs.services import contacts, occupancies
from orgs.services.register.parsing import ParsedRow, RowParser
from orgs.services.register.reading import RawRow, Refused, RowError

BATCH = 1000
Progress = Callable[[str, int, int], None]


@dataclass
class ImportResult:
    """How many rows of each noun were created and changed; of people, also which."""

    created: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    contacts_created: list[int] = field(default_factory=list)
    contacts_changed: list[int] = field(default_factory=list)

    def count(self, model: type[models.Model], *, created: int, changed: int) -> None:
        """Note one noun."""
        name = model._meta.model_name or ""
        self.created[name] = self.created.get(name, 0) + created
        self.changed[name] = self.changed.get(name, 0) + changed


def _silent(stage: str, done: int, total: int) -> None:
    return


@transaction.atomic
def import_rows(rows: Iterable[RawRow], *, tenant: Organization, progress: Progress = _silent) -> ImportResult:
    """Bring a register in. Existing rows are found by their references and changed, never doubled.

    ``progress(stage, done, total)`` is called as it goes. Raises `Refused` with every error by row and
    column; then nothing was written.
    """
    parsed, errors = [], []
    raw = list(rows)
    for index, row in enumerate(raw, 1):
        parser = RowParser(row)
        result = parser.parse()
        errors += parser.errors
        if result is not None:
            parsed.append(result)
        if index % BATCH == 0 or index == len(raw):
            progress(_("Checking"), index, len(raw))
    errors += _contradictions(parsed)
    if errors:
        raise Refused(sorted(errors, key=lambda e: e.row))
    run = _Run(tenant, parsed, progress)
    run.communities()
    run.buildings()
    run.units()
    run.people()
    run.occupancies()
    run.finish()
    return run.result


def _contradictions(parsed: list[ParsedRow]) -> list[RowError]:
    """The same reference with other values in another row: which one would be true?"""
    seen: dict[tuple[str, Any], tuple[int, dict[str, Any]]] = {}
    errors = []
    for row in parsed:
        things = [
            ("community", row.community["identifier"], row.community),
            ("unit", (row.community["identifier"], row.unit["identifier"]), row.unit),
        ]
        if row.tenancy:
            things.append(("contact", row.tenancy.contact["reference_id"], row.tenancy.contact))
        for noun, key, values in things:
            first, before = seen.setdefault((noun, key), (row.number, values))
            for column, value in values.items():
                if before[column] != value:
                    name = column if noun == "contact" else noun
                    errors.append(RowError(row.number, name, _("Differs from row %d with the same reference.") % first))
    return errors


class _Run:
    """One import while it writes. Each step handles one noun and remembers its rows by reference."""

    def __init__(self, tenant: Organization, rows: list[ParsedRow], progress: Progress) -> None:
        self.tenant, self.rows, self.progress = tenant, rows, progress
        self.result = ImportResult()
        self.audit: list[AuditEntry] = []
        self.by_ref: dict[str, Community] = {}
        self.by_street: dict[tuple[int, str], Building] = {}
        self.by_building: dict[int, Building] = {}
        self.by_unit: dict[tuple[int, str], Unit] = {}
        self.by_contact: dict[str, Contact] = {}

    def save(
        self, model: type[models.Model], new: list[Any], old: list[tuple[Any, dict[str, Any]]], label: str
    ) -> list[Any]:
        """Insert and update in batches, with an audit entry for each row; returns the rows that changed."""
        now, total = timezone.now(), len(new) + len(old)
        for start in range(0, len(new), BATCH):
            model._base_manager.bulk_create(new[start : start + BATCH])
            self.progress(label, min(start + BATCH, len(new)), total)
        changed = []
        for obj, values in old:
            differing = {
                k: [audit.recorded(model, k, getattr(obj, k)), audit.recorded(model, k, v)]
                for k, v in values.items()
                if getattr(obj, k) != v
            }
            if differing:
                for k, v in values.items():
                    setattr(obj, k, v)
                obj.row_version += 1
                obj.updated_at = now
                changed.append(obj)
                self.note("changed", obj, differing)
        if changed:
            columns = [*old[0][1], "row_version", "updated_at"]
            model._base_manager.bulk_update(changed, columns, batch_size=BATCH)
        for obj in new:
            self.note("imported", obj, None)
        self.progress(label, total, total)
        self.result.count(model, created=len(new), changed=len(changed))
        return changed

    def note(self, verb: str, obj: models.Model, changes: dict[str, Any] | None) -> None:
        """Remember an audit entry; they are written together at the end."""
        self.audit.append(
            audit.entry_for(
                verb, object_type=obj._meta.label_lower, object_id=obj.pk, tenant_id=self.tenant.pk, changes=changes
            )
        )

    def communities(self) -> None:
        """Communities by reference; the first address of a community is its own."""
        wanted: dict[str, dict[str, Any]] = {}
        for row in self.rows:
            values = wanted.setdefault(row.community["identifier"], {"name": row.community["name"]})
            if row.building and "street" not in values:
                values.update(row.building)
        found = {c.identifier: c for c in Community.objects.filter(tenant=self.tenant, identifier__in=wanted)}
        new, old = [], []
        for ref, values in wanted.items():
            values["name"] = values["name"] or (found[ref].name if ref in found else ref)
            values = {"street": "", "postal_code": "", "city": "", **values, "sort_key": sort_key(values["name"])}
            if ref in found:
                if not values["street"]:
                    values = {
                        "name": values["name"],
                        "sort_key": values["sort_key"],
                        **{k: getattr(found[ref], k) for k in ("street", "postal_code", "city")},
                    }
                old.append((found[ref], {k: values[k] for k in ("name", "sort_key", "street", "postal_code", "city")}))
            else:
                found[ref] = Community(tenant=self.tenant, organization=self.tenant, identifier=ref, **values)
                new.append(found[ref])
        self.save(Community, new, old, _("Communities"))
        self.by_ref = found

    def buildings(self) -> None:
        """Entrances by community and street."""
        ids = [c.pk for c in self.by_ref.values()]
        found = {(b.community_id, b.street): b for b in Building.objects.filter(tenant=self.tenant, community__in=ids)}
        positions = Counter(community_id for community_id, _street in found)
        new: list[Building] = []
        for row in self.rows:
            if row.building is None:
                continue
            community = self.by_ref[row.community["identifier"]]
            key = (community.pk, row.building["street"])
            if key not in found:
                position = positions[community.pk]
                positions[community.pk] += 1
                found[key] = Building(tenant=self.tenant, community=community, position=position, **row.building)
                new.append(found[key])
        self.save(Building, new, [], _("Buildings"))
        self.by_street = found
        self.by_building = {b.pk: b for b in found.values()}

    def units(self) -> None:
        """Units by community and reference."""
        ids = [c.pk for c in self.by_ref.values()]
        found = {(u.community_id, u.identifier): u for u in Unit.objects.filter(tenant=self.tenant, community__in=ids)}
        new, old, done = [], [], set()
        for row in self.rows:
            community = self.by_ref[row.community["identifier"]]
            key = (community.pk, row.unit["identifier"])
            if key in done:
                continue
            done.add(key)
            building = self.by_street.get((community.pk, row.building["street"])) if row.building else None
            name = row.unit["name"] or (found[key].name if key in found else row.unit["identifier"])
            if key in found:
                old.append(
                    (found[key], {"name": name, "building_id": building.pk if building else found[key].building_id})
                )
            else:
                found[key] = Unit(
                    tenant=self.tenant,
                    community=community,
                    building=building,
                    identifier=key[1],
                    number=key[1][:50],
                    name=name,
                )
                new.append(found[key])
        self.save_units(new, old)
        self.by_unit = found

    def save_units(self, new: list[Unit], old: list[tuple[Unit, dict[str, Any]]]) -> None:
        """Units, whose building is compared by id but written as a field."""
        self.save(
            Unit,
            new,
            [(u, {"name": v["name"], "building": self._building(v["building_id"])}) for u, v in old],
            _("Units"),
        )

    def _building(self, pk: int | None) -> Building | None:
        return self.by_building.get(pk) if pk else None

    def people(self) -> None:
        """Contacts by reference; numbers are taken in one go."""
        wanted = {r.tenancy.contact["reference_id"]: r.tenancy.contact for r in self.rows if r.tenancy}
        found = {c.reference_id: c for c in Contact.objects.filter(tenant=self.tenant, reference_id__in=wanted)}
        missing = [ref for ref in wanted if ref not in found]
        first = int(contacts.next_contact_number(self.tenant.pk, len(missing))) if missing else 0
        new: list[Contact] = []
        old: list[tuple[Contact, dict[str, Any]]] = []
        for ref, values in wanted.items():
            values = {
                **values,
                "sort_key": contacts.contact_sort_key(values["last_name"], values["first_name"], values["company"]),
            }
            if ref in found:
                old.append((found[ref], {k: v for k, v in values.items() if k != "reference_id"}))
            else:
                found[ref] = Contact(tenant=self.tenant, number=str(first + len(new)), **values)
                new.append(found[ref])
        changed = self.save(Contact, new, old, _("People"))
        self.result.contacts_created = [c.pk for c in new]
        self.result.contacts_changed = [c.pk for c in changed]
        touched = [*new, *(c for c, _values in old)]
        for start in range(0, len(touched), BATCH):
            contacts.index(touched[start : start + BATCH])
        self.by_contact = found

    def occupancies(self) -> None:
        """Who lives where: the same person, unit and role on the same or overlapping days is the same occupancy."""
        units = [u.pk for u in self.by_unit.values()]
        have: dict[tuple[int, int, str], list[Occupancy]] = {}
        for o in Occupancy.objects.filter(tenant=self.tenant, unit__in=units, revoked_at=None):
            have.setdefault((o.contact_id, o.unit_id, o.role), []).append(o)
        new, old, errors, used = [], [], [], set()
        for row in self.rows:
            if row.tenancy is None:
                continue
            tenancy = row.tenancy
            contact = self.by_contact[tenancy.contact["reference_id"]]
            unit = self.by_unit[self.by_ref[row.community["identifier"]].pk, row.unit["identifier"]]
            period = occupancies.period(tenancy.first, tenancy.last)
            known = have.setdefault((contact.pk, unit.pk, tenancy.role), [])
            match = next((o for o in known if o.period.lower == period.lower and id(o) not in used), None) or next(
                (o for o in known if _overlap(o.period, period) and id(o) not in used), None
            )
            values = {"is_admin": tenancy.is_admin, "period": period}
            if match is None:
                match = Occupancy(tenant=self.tenant, contact=contact, unit=unit, role=tenancy.role, **values)
                new.append(match)
                known.append(match)
            else:
                old.append((match, values))
            used.add(id(match))
            if any(o is not match and id(o) in used and _overlap(self._period(o, old), period) for o in known):
                errors.append(RowError(row.number, "from", _("This person already has this role in that period.")))
        if errors:
            raise Refused(errors)
        # Shrink before growing, so that the exclusion constraint never sees a state that the file does not hold.
        self.save(Occupancy, [], old, _("Occupancies"))
        self.save(Occupancy, new, [], _("Occupancies"))

    @staticmethod
    def _period(occupancy: Occupancy, planned: list[tuple[Occupancy, dict[str, Any]]]) -> DateRange:
        return next((values["period"] for o, values in planned if o is occupancy), occupancy.period)

    def finish(self) -> None:
        """Seats for people who have an account already, and the history."""
        for contact in self.by_contact.values():
            if contact.user_id is not None:
                occupancies.seat(contact)
        for start in range(0, len(self.audit), BATCH):
            AuditEntry.objects.bulk_create(self.audit[start : start + BATCH])


def _overlap(a: DateRange, b: DateRange) -> bool:
    """Whether two half-open day ranges share a day; open ends reach for ever."""
    return (a.lower is None or b.upper is None or a.lower < b.upper) and (
        b.lower is None or a.upper is None or b.lower < a.upper
    )
