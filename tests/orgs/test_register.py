"""The register import: all or nothing, every error by row and column, repeatable."""

from __future__ import annotations

import datetime

import pytest

from core.models import AuditEntry
from orgs.models import Building, Community, Contact, Occupancy, Unit
from orgs.services.register import Refused, import_rows, read_csv
from tests.cast import Cast

HEAD = "community_ref;community;street;house_number;postal_code;city;unit_ref;unit;contact_ref;last_name;email;role;from;until;language"
ANNA = "700;Am Park;Parkweg;1;50733;Köln;01;Wohnung 01;P1;Sommer;anna@post.test;owner;01.05.2020;;de"
BEN = "700;Am Park;Parkweg;1;50733;Köln;02;Wohnung 02;P2;Groß;;renter;2021-06-01;31.12.2030;pl"


def load(cast: Cast, *lines: str, encoding: str = "utf-8", head: str = HEAD) -> object:
    return import_rows(read_csv("\n".join([head, *lines]).encode(encoding)), tenant=cast.tenant)


def errors_of(cast: Cast, *lines: str, head: str = HEAD) -> list[tuple[int, str]]:
    before = (Community.objects.count(), Contact.objects.count(), AuditEntry.objects.count())
    with pytest.raises(Refused) as refused:
        load(cast, *lines, head=head)
    assert (Community.objects.count(), Contact.objects.count(), AuditEntry.objects.count()) == before
    return [(e.row, e.column) for e in refused.value.errors]


def test_a_register_becomes_communities_buildings_units_people_and_occupancies(cast: Cast) -> None:
    load(cast, ANNA, BEN)
    community = Community.objects.get(identifier="700")
    assert (community.name, community.street, community.city) == ("Am Park", "Parkweg 1", "Köln")
    assert Building.objects.get(community=community).street == "Parkweg 1"
    assert [u.name for u in Unit.objects.filter(community=community)] == ["Wohnung 01", "Wohnung 02"]
    ben = Occupancy.objects.get(contact__reference_id="P2")
    assert (ben.role, ben.period.lower, ben.period.upper) == (
        "renter",
        datetime.date(2021, 6, 1),
        datetime.date(2031, 1, 1),
    )
    assert ben.contact.language == "pl"
    assert Contact.objects.found_by("gross").exists() is False
    assert Contact.objects.found_by("groß").get() == ben.contact


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_are_recognised(cast: Cast, encoding: str) -> None:
    load(cast, BEN, encoding=encoding)
    assert Contact.objects.get(reference_id="P2").last_name == "Groß"


def test_a_comma_separates_as_well_and_german_headings_are_known(cast: Cast) -> None:
    head = "Objektnummer,Objekt,Wohnungsnummer,Personennummer,Nachname,Rolle,Einzug"
    load(cast, '800,"Hof, hinten",1,P9,Weiß,Mieter,1.2.2023', head=head)
    assert Community.objects.get(identifier="800").name == "Hof, hinten"
    assert Occupancy.objects.get(contact__reference_id="P9").role == "renter"


def test_a_unit_without_people_has_empty_person_columns(cast: Cast) -> None:
    load(cast, "700;Am Park;;;;;09;Keller;;;;;;;")
    assert not Occupancy.objects.filter(unit__identifier="09").exists()


def test_repeating_an_import_changes_nothing(cast: Cast) -> None:
    load(cast, ANNA, BEN)
    entries = AuditEntry.objects.count()
    result = load(cast, ANNA, BEN)
    assert set(result.created.values()) == {0}
    assert set(result.changed.values()) == {0}
    assert AuditEntry.objects.count() == entries


def test_a_changed_row_changes_what_is_there_and_is_recorded(cast: Cast) -> None:
    load(cast, ANNA)
    before = Contact.objects.get(reference_id="P1")
    load(cast, ANNA.replace("Sommer", "Winter").replace(";;de", ";31.12.2029;de"))
    after = Contact.objects.get(reference_id="P1")
    assert (after.pk, after.last_name, after.row_version) == (before.pk, "Winter", before.row_version + 1)
    assert after.occupancies.get().period.upper == datetime.date(2030, 1, 1)
    entry = AuditEntry.objects.filter(object_type="orgs.contact", object_id=after.pk, verb="changed").get()
    assert entry.changes["last_name"] == ["Sommer", "Winter"]


def test_the_last_day_of_the_calendar_is_no_end(cast: Cast) -> None:
    load(cast, BEN.replace("31.12.2030", "31.12.9999"))
    load(cast, BEN.replace("31.12.2030", "9999-12-31"))
    assert Occupancy.objects.get(contact__reference_id="P2").period.upper is None


def test_an_address_of_the_other_tenant_is_not_touched(cast: Cast) -> None:
    Community.objects.filter(pk=cast.foreign_house.pk).update(identifier="700")
    load(cast, ANNA)
    cast.foreign_house.refresh_from_db()
    assert cast.foreign_house.name == "Haus X"
    assert Community.objects.filter(identifier="700").count() == 2


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (ANNA.replace("700;", ";", 1), "community_ref"),
        (ANNA.replace(";01;W", ";;W"), "unit_ref"),
        (ANNA.replace("P1", ""), "contact_ref"),
        (ANNA.replace("Sommer", ""), "last_name"),
        (ANNA.replace("anna@post.test", "anna"), "email"),
        (ANNA.replace("owner", "Hausgeist"), "role"),
        (ANNA.replace("owner", ""), "role"),
        (ANNA.replace("01.05.2020", "31.02.2020"), "from"),
        (ANNA.replace("01.05.2020;", "01.05.2020;30.04.2020"), "until"),
        (ANNA.replace(";de", ";tlh"), "language"),
        (ANNA.replace("Sommer", "S" * 101), "last_name"),
        (ANNA.replace("Sommer", "Som\x07mer"), "last_name"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_imported(cast: Cast, line: str, column: str) -> None:
    assert errors_of(cast, BEN, line) == [(3, column)]


def test_every_error_is_listed(cast: Cast) -> None:
    found = errors_of(cast, ANNA.replace("owner", "x"), BEN.replace("renter", "y"))
    assert found == [(2, "role"), (3, "role")]


def test_the_same_reference_with_other_values_is_a_contradiction(cast: Cast) -> None:
    assert errors_of(cast, ANNA, BEN.replace("Am Park", "Am Teich")) == [(3, "community")]


def test_the_same_person_twice_in_a_role_is_refused(cast: Cast) -> None:
    assert errors_of(cast, ANNA, ANNA) == [(3, "from")]


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", (1, "")),
        (b"  \n ", (1, "")),
        (b"\xff\xfe\x00a\x00", (1, "")),
        (b"caf\xe9\x81;x\n1;2", (1, "")),
        (HEAD.encode(), (1, "")),
        (b"community_ref;unit_ref;Farbe\n1;2;rot", (1, "Farbe")),
        (b"community_ref;unit\n1;2", (1, "unit_ref")),
        (b"community_ref;unit_ref;unit_ref\n1;2;3", (1, "unit_ref")),
        (b"community_ref;unit_ref\n1;2;3", (2, "")),
    ],
)
def test_a_file_of_the_wrong_form_is_refused_with_the_place(data: bytes, where: tuple[int, str]) -> None:
    with pytest.raises(Refused) as refused:
        read_csv(data)
    assert [(e.row, e.column) for e in refused.value.errors] == [where]


def test_progress_is_told_by_stage(cast: Cast) -> None:
    seen: list[tuple[str, int, int]] = []
    data = "\n".join([HEAD, ANNA, BEN]).encode()
    import_rows(read_csv(data), tenant=cast.tenant, progress=lambda *step: seen.append(step))
    assert seen[0][1:] == (2, 2)
    assert len({stage for stage, _done, _total in seen}) >= 5


def test_the_number_of_statements_does_not_grow_with_the_rows(cast: Cast) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def lines(start: int, count: int) -> list[str]:
        return [f"9;Hof;Weg;1;;;{i};W {i};Q{i};N{i};;renter;2020-01-01;;de" for i in range(start, start + count)]

    with CaptureQueriesContext(connection) as few:
        load(cast, *lines(0, 2))
    with CaptureQueriesContext(connection) as many:
        load(cast, *lines(100, 200))
    assert len(many) <= len(few)
