"""The demo's papers: a folder tree as property managers keep it, filled with real PDFs."""

from __future__ import annotations

import datetime
import io
import random

from fpdf import FPDF

from core.services import blobs
from docms.models import Folder
from docms.services import documents, folders, groups
from orgs.actor import Actor, enter
from orgs.demo import DemoHouse
from orgs.models import Community, Unit

_HOUSE = (
    (
        "Hausordnung",
        "Hausordnung, Stand Januar",
        ("Ruhezeiten sind von 22 bis 7 Uhr.", "Das Treppenhaus bleibt frei.", "Der Müll wird getrennt."),
    ),
    (
        "Hausordnung",
        "Merkblatt Lüften und Heizen",
        ("Bitte lüften Sie mehrmals am Tag kurz und kräftig.", "Kippen kühlt nur die Wände aus."),
    ),
    (
        "Haus und Technik",
        "Wartung der Heizung {year}",
        ("Die Heizung wird im Oktober gewartet.", "Bitte halten Sie die Heizkörper frei."),
    ),
    ("Haus und Technik", "Energieausweis", ("Endenergieverbrauch dieses Gebäudes: 98 kWh je Quadratmeter und Jahr.",)),
    (
        "Verträge und Versicherung",
        "Gebäudeversicherung {year}",
        ("Versichert sind Feuer, Leitungswasser, Sturm und Hagel.",),
    ),
)
_OWNERS = (
    (
        "Versammlungen",
        "Einladung zur Eigentümerversammlung {year}",
        ("Tagesordnung", "1. Begrüßung", "2. Wirtschaftsplan", "3. Verschiedenes"),
    ),
    (
        "Versammlungen",
        "Protokoll der Versammlung {before}",
        ("Die Versammlung war beschlussfähig.", "Der Wirtschaftsplan wurde angenommen."),
    ),
    (
        "Wirtschaftspläne",
        "Wirtschaftsplan {year}",
        ("Erwartete Ausgaben: 84.200 Euro.", "Hausgeld je Monat wie im Anhang."),
    ),
)


def build(house: DemoHouse, rng: random.Random) -> int:
    """Folders, derived groups and papers of every community; returns the number of papers."""
    actor = enter(house.admin, door="command", tenant_id=house.tenant.pk)
    year = house.tenant.today().year
    return sum(_community(actor, community, year, rng) for community in house.communities)


def _community(actor: Actor, community: Community, year: int, rng: random.Random) -> int:
    tenant = community.tenant
    everyone = groups.derived_group(tenant=tenant, community=community)
    owners = groups.derived_group(tenant=tenant, community=community, role="owner")
    top = folders.create_folder(
        actor=actor, tenant=tenant, name=community.name.replace("/", "-"), group_ids=[everyone.pk], community=community
    )
    made: dict[str, Folder] = {}
    count = 0
    for papers, group in ((_HOUSE, everyone), (_OWNERS, owners)):
        for folder_name, title, lines in papers:
            if folder_name not in made:
                made[folder_name] = folders.create_folder(
                    actor=actor, tenant=tenant, name=folder_name, parent=top, group_ids=[group.pk]
                )
            _publish(actor, made[folder_name], title.format(year=year, before=year - 1), community.name, lines)
            count += 1
    units = folders.create_folder(actor=actor, tenant=tenant, name="Einheiten", parent=top)
    for unit in Unit.objects.filter(community=community).order_by("id")[:12]:
        household = groups.derived_group(tenant=tenant, unit=unit)
        folder = made[unit.name] = folders.create_folder(
            actor=actor, tenant=tenant, name=unit.name, parent=units, group_ids=[household.pk], unit=unit
        )
        amount = rng.randint(-40000, 60000) / 100
        word = "Nachzahlung" if amount > 0 else "Guthaben"
        lines = (
            f"{word}: {abs(amount):.2f} Euro".replace(".", ","),
            "Bitte prüfen Sie die Aufstellung auf den folgenden Seiten.",
        )
        _publish(actor, folder, f"Nebenkostenabrechnung {year - 1}", unit.name, lines)
        count += 1
    # From now on, as managers have it: what the demo starts with is old news.
    for folder in made.values():
        folders.change_folder(actor=actor, folder=folder, changes={"mail_after_upload_enable": True})
    return count


def _publish(actor: Actor, folder: Folder, title: str, place: str, lines: tuple[str, ...]) -> None:
    blob = blobs.store(io.BytesIO(pdf(title, place, lines)), tenant_id=folder.tenant_id, limit=10 * 1024 * 1024)
    documents.publish(actor=actor, folder=folder, blob=blob, filename=f"{title}.pdf".replace("/", "-"), title=title)


def pdf(title: str, place: str, lines: tuple[str, ...]) -> bytes:
    """A plain letter. Core fonts know Latin-1, which German needs; anything else is written with a question mark."""
    letter = FPDF()
    # The same seed gives the same bytes.
    letter.set_creation_date(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    letter.set_title(_latin(title))
    letter.set_margin(25)
    letter.add_page()
    letter.set_font("Helvetica", size=10)
    letter.cell(
        text=_latin("Brandt & Keller Hausverwaltung GmbH · Neusser Straße 410 · 50733 Köln"),
        new_x="LMARGIN",
        new_y="NEXT",
    )
    letter.ln(18)
    letter.set_font("Helvetica", "B", 18)
    letter.multi_cell(0, 9, _latin(title), new_x="LMARGIN", new_y="NEXT")
    letter.set_font("Helvetica", size=12)
    letter.cell(text=_latin(place), new_x="LMARGIN", new_y="NEXT")
    letter.ln(10)
    for line in lines:
        letter.multi_cell(0, 7, _latin(line), new_x="LMARGIN", new_y="NEXT")
        letter.ln(2)
    return bytes(letter.output())


def _latin(text: str) -> str:
    text = text.replace("–", "-").replace("·", chr(183))
    return text.encode("latin-1", "replace").decode("latin-1")
