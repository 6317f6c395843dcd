"""The demo's tickets: what residents report in an autumn, and how the management answers. All of it by the services."""

from __future__ import annotations

import datetime
import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from PIL import Image, ImageDraw, ImageFilter

from core.services import rows, uploads
from orgs import audience
from orgs.actor import Actor, enter
from orgs.models import Membership, Unit
from tickets.models import Ticket, TicketType, TicketTypeField, TicketTypeGroup
from tickets.services import answers, changes, comments, rating
from tickets.services.attachments import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orgs.demo import DemoHouse
    from orgs.models import Organization, User

DOOR = "demo"
_ROOMS = ["Bad", "Küche", "Flur", "Wohnzimmer", "Schlafzimmer", "Keller", "Anderer Raum"]
_WHAT = {"field_type": "TEXTBOX", "name": "Was ist passiert?", "required": True,
         "description": "Schreiben Sie, was Sie sehen, hören oder riechen."}  # fmt: skip
_SINCE = {"field_type": "DATE", "name": "Seit wann?"}
_PHOTOS = {"field_type": "FILE", "name": "Fotos",
           "description": "Am besten eins aus der Nähe und eins vom ganzen Raum."}  # fmt: skip
_CALL = {"field_type": "TEXTFIELD", "name": "Telefon für Rückfragen", "description": "Werktags zwischen 8 und 18 Uhr."}
# Group, then name, description, icon, word of the support contract, questions, and the roles it is for.
_TYPES: tuple[tuple[str, tuple[tuple[str, str, str, str, list[dict[str, Any]], list[str]], ...]], ...] = (
    (
        "Etwas ist kaputt",
        (
            ("Wasser", "Leck, Fleck, Abfluss", "drop", "repairAndMaintenance", [
                _WHAT, {"field_type": "DROPDOWN", "name": "Raum", "options": _ROOMS, "required": True}, _SINCE,
                {"field_type": "CHECKBOX", "name": "Das Wasser läuft noch"}, _PHOTOS, _CALL,
            ], []),
            ("Heizung", "kalt, laut, tropft", "flame", "temperatureAndVentilation", [
                _WHAT, {"field_type": "DROPDOWN", "name": "Raum", "options": _ROOMS},
                {"field_type": "NUMBER", "name": "Temperatur im Raum in Grad", "decimals": 1}, _SINCE, _PHOTOS,
            ], []),
            ("Strom und Licht", "Treppenhaus, Keller, Außenlicht", "bolt", "repairAndMaintenance",
             [_WHAT, {"field_type": "TEXTFIELD", "name": "Wo genau?", "required": True}, _PHOTOS], []),
            ("Türen und Schlösser", "Haustür, Klingel, Briefkasten", "door", "access", [_WHAT, _SINCE, _PHOTOS], []),
            ("Anderer Schaden", "Aufzug, Dach, Hof", "tools", "repairAndMaintenance", [_WHAT, _SINCE, _PHOTOS, _CALL], []),
        ),
    ),
    (
        "Etwas soll geklärt werden",
        (
            ("Abrechnung", "Hausgeld, Nebenkosten", "file", "accountAndBilling", [
                {**_WHAT, "name": "Ihre Frage", "description": ""},
                {"field_type": "NUMBER", "name": "Jahr der Abrechnung", "decimals": 0}, {**_PHOTOS, "name": "Unterlagen", "description": ""},
            ], []),
            ("Schlüssel", "nachbestellen, verloren", "key", "access", [
                {"field_type": "NUMBER", "name": "Wie viele Schlüssel?", "decimals": 0, "required": True},
                {"field_type": "CHECKBOX", "name": "Ich übernehme die Kosten", "required": True},
                {**_WHAT, "name": "Anmerkung", "required": False, "description": ""},
            ], []),
            ("Beschlüsse und Versammlung", "nur für Eigentümer", "people", "other",
             [{**_WHAT, "name": "Ihr Antrag oder Ihre Frage", "description": ""}], ["owner"]),
            ("Hausordnung und Nachbarn", "Lärm, Müll, Treppenhaus", "home", "noiseAndAcoustics",
             [{**_WHAT, "description": "Bitte beschreiben Sie sachlich, was vorgefallen ist, und wann."}, _SINCE], []),
            ("Etwas anderes", "frei schreiben", "help", "other", [{**_WHAT, "name": "Worum geht es?", "description": ""}, _PHOTOS], []),
        ),
    ),
)  # fmt: skip


@dataclass
class Said:
    """One step of a story: who, after how many hours, and what."""

    who: str  # owner, renter, staff
    hours: float
    text: str = ""
    status: str = ""
    photos: tuple[str, ...] = ()
    note: str = ""
    assign: bool = False


@dataclass
class Story:
    """A ticket and what became of it."""

    who: str
    days: float  # ago
    kind: str
    given: dict[str, Any]
    photos: tuple[str, ...] = ()
    then: list[Said] = field(default_factory=list)
    shared: bool = False
    common: bool = False  # not in somebody's flat
    stars: int = 0
    praise: str = ""


_STORIES = (
    Story("owner", 9, "Wasser", {
        "Was ist passiert?": "An der Decke über der Dusche ist ein Fleck, etwa so groß wie ein Teller, und seit gestern feucht. "
        "Darüber liegt das Bad der Nachbarn.", "Raum": "Bad", "Das Wasser läuft noch": False, "Seit wann?": -1,
    }, ("decke", "rohr"), [
        Said("staff", 13, assign=True), Said("staff", 13.3, note="Spülkasten in der Wohnung darüber, schon einmal 2024."),
        Said("staff", 13.5, "Guten Morgen, danke für die guten Fotos. In der Wohnung darüber ist der Spülkasten inzwischen abgestellt. "
             "Ich schicke Ihnen heute noch einen Termin mit dem Installateur.\n\nBitte lassen Sie das Licht im Bad aus, solange die "
             "Decke feucht ist."),
        Said("staff", 13.6, status="in_progress"), Said("owner", 14, "Mache ich. Dienstags bin ich den ganzen Vormittag zu Hause."),
        Said("staff", 90, "Herr Heinen von Sanitär Heinen kommt am Dienstag zwischen 8 und 10 Uhr. Passt das? Mehr zu Wasserschäden: "
             "https://www.verbraucherzentrale.de/wasserschaden"),
    ]),
    Story("owner", 3, "Türen und Schlösser", {
        "Was ist passiert?": "Unser Namensschild am Briefkasten ist abgefallen. Können Sie ein neues anbringen? Name: Sommer / Thelen.",
    }),
    Story("renter", 2.2, "Heizung", {
        "Was ist passiert?": "Der Heizkörper im Schlafzimmer bleibt kalt, obwohl das Ventil ganz offen ist. Die anderen werden warm.",
        "Raum": "Schlafzimmer", "Temperatur im Raum in Grad": 16.5, "Seit wann?": -2,
    }, (), [
        Said("staff", 3, assign=True),
        Said("staff", 3.2, "Guten Tag, bitte drehen Sie das Ventil einmal ganz zu und wieder auf und schauen Sie, ob der Stift klemmt. "
             "Wird er dann warm?"), Said("staff", 3.3, status="waiting"),
    ]),
    Story("renter", 17, "Strom und Licht", {
        "Was ist passiert?": "Das Licht im Keller flackert und geht manchmal ganz aus. Auf der Treppe sieht man dann nichts.",
        "Wo genau?": "Keller Haus 14, Gang zu den Fahrrädern",
    }, ("keller",), [
        Said("staff", 20, assign=True), Said("staff", 21, status="in_progress"),
        Said("staff", 22, "Der Elektriker ist bestellt. Ich gebe das Anliegen für das ganze Haus frei, damit alle Bescheid wissen."),
    ], shared=True, common=True),
    Story("renter", 25, "Schlüssel", {
        "Wie viele Schlüssel?": 2, "Ich übernehme die Kosten": True, "Anmerkung": "Bitte für Haustür und Keller.",
    }, (), [
        Said("staff", 5, assign=True), Said("staff", 6, "Bestellt, das dauert etwa zehn Tage. Ein Schlüssel kostet 38 Euro."),
        Said("staff", 240, "Die Schlüssel liegen bei uns im Büro bereit, montags bis freitags 9 bis 12 Uhr."),
        Said("staff", 241, status="solved"),
    ], stars=5, praise="Hat alles geklappt."),
    Story("owner", 20, "Abrechnung", {
        "Ihre Frage": "In der Abrechnung steht bei mir die Aufzugswartung doppelt, einmal unter Wartung und einmal unter Technik. "
        "Ist das richtig?", "Jahr der Abrechnung": 2025,
    }, (), [
        Said("staff", 28, assign=True),
        Said("staff", 30, "Sie haben recht, da ist uns ein Fehler unterlaufen. Sie bekommen bis Monatsende eine berichtigte Abrechnung; "
             "die Differenz von 41,80 Euro rechnen wir mit dem nächsten Hausgeld auf."),
        Said("staff", 31, status="solved"), Said("owner", 72, "Danke. Bis heute ist aber noch nichts gekommen."),
    ]),
    Story("owner", 70, "Heizung", {
        "Was ist passiert?": "Seit dem Wochenende ist die Heizung in der ganzen Wohnung kalt.", "Temperatur im Raum in Grad": 17,
    }, (), [
        Said("staff", 1, assign=True), Said("staff", 1.2, "Die Pumpe ist ausgefallen, der Notdienst ist unterwegs.", status="in_progress"),
        Said("staff", 7, "Die Pumpe ist getauscht, es sollte wieder warm sein."), Said("staff", 8, status="closed"),
    ], stars=4, praise="Schnell geholfen."),
    Story("renter", 120, "Hausordnung und Nachbarn", {
        "Was ist passiert?": "Im Treppenhaus stehen seit Wochen Kinderwagen und Schuhe vor dem Fluchtweg im Erdgeschoss.",
    }, (), [
        Said("staff", 26, "Wir haben einen Aushang gemacht und die Familie angesprochen."), Said("staff", 100, status="closed"),
    ], common=True),
    Story("renter", 6, "Anderer Schaden", {
        "Was ist passiert?": "Das Tor zum Hof schließt nicht mehr von selbst und steht die ganze Nacht offen.",
    }, ("hof",), [Said("staff", 18, assign=True), Said("staff", 19, "Danke für den Hinweis, der Hausmeister stellt den Schließer morgen ein.")], common=True),
    Story("owner", 45, "Beschlüsse und Versammlung", {
        "Ihr Antrag oder Ihre Frage": "Bitte nehmen Sie den Punkt „Ladestation für Fahrräder“ auf die Tagesordnung der nächsten Versammlung.",
    }, (), [
        Said("staff", 50, "Der Punkt steht als TOP 7 auf der Tagesordnung."), Said("staff", 51, status="solved"),
    ], common=True),
    Story("staff", 12, "Anderer Schaden", {
        "Was ist passiert?": "Bei der Begehung aufgefallen: Am Müllplatz ist eine Gehwegplatte gebrochen, Stolpergefahr.",
    }, ("hof",), [Said("staff", 1, assign=True), Said("staff", 2, status="in_progress")], shared=True, common=True),
    Story("owner", 0.2, "Etwas anderes", {
        "Worum geht es?": "Darf ich auf dem Balkon eine Markise anbringen? Brauche ich dafür einen Beschluss?",
    }),
)  # fmt: skip


def build(house: DemoHouse) -> int:
    """Types and tickets of the first community; returns how many tickets."""
    kinds = _types(house.tenant)
    for story in sorted(_STORIES, key=lambda one: -one.days):
        _tell(house, kinds, story)
    return len(_STORIES)


def _types(tenant: Organization) -> dict[str, TicketType]:
    made: dict[str, TicketType] = {}
    for place, (group_name, types) in enumerate(_TYPES):
        group = rows.create(TicketTypeGroup, tenant=tenant, name=group_name, position=place)
        for position, (name, description, icon, word, fields, roles) in enumerate(types):
            made[name] = rows.create(
                TicketType, tenant=tenant, group=group, name=name, description=description, icon=icon, roles=roles,
                position=position, support_type=word,
            )  # fmt: skip
            for number, values in enumerate(fields):
                rows.create(TicketTypeField, tenant=tenant, ticket_type=made[name], position=number, **values)
    return made


@contextmanager
def _at(moment: datetime.datetime) -> Iterator[None]:
    """Let the services tell another time, so that a demo has a past."""
    real = timezone.now
    timezone.now = lambda: moment
    try:
        yield
    finally:
        timezone.now = real


def _tell(house: DemoHouse, kinds: dict[str, TicketType], story: Story) -> None:
    community, kind = house.communities[0], kinds[story.kind]
    begin = timezone.now() - datetime.timedelta(days=story.days)
    actor = _actor(house, story.who)
    unit = (
        None
        if story.common
        else Unit.objects.get(community=community, identifier={"owner": "07", "renter": "12"}[story.who])
    )
    given: dict[str, Any] = {}
    for asked in kind.fields.all():
        if asked.field_type == TicketTypeField.Kind.FILE:
            given[str(asked.pk)] = [_photo(actor, community.tenant, name) for name in story.photos]
        elif asked.name in story.given:
            value = story.given[asked.name]
            is_day = asked.field_type == TicketTypeField.Kind.DATE
            given[str(asked.pk)] = (begin + datetime.timedelta(days=value)).date().isoformat() if is_day else value
    with _at(begin):
        ticket = answers.file_answers(
            actor=actor, community=community, ticket_type=kind, given=given, source="web", door=DOOR, unit=unit
        ).ticket
    for said in story.then:
        with _at(begin + datetime.timedelta(hours=said.hours)):
            _go_on(house, ticket, said)
    ticket.refresh_from_db()
    if story.shared:
        at = ticket.updated_at
        keys = [audience.community(community.pk)]
        rows.change(ticket, {"shared_with": keys, "shared_at": at}, verb="shared", at=at)
    if story.stars:
        rating.rate(actor=actor, ticket=ticket, rating=story.stars, comment=story.praise)


def _go_on(house: DemoHouse, ticket: Ticket, said: Said) -> None:
    actor = _actor(house, said.who)
    if said.assign:
        clerk = Membership.objects.get(user=house.staff, organization=house.tenant)
        changes.assign(actor=actor, ticket=ticket, assignee=clerk, source="back_office")
    if said.note:
        comments.add_note(actor=actor, ticket=ticket, text=said.note)
    if said.text:
        source = "back_office" if said.who == "staff" else "web"
        files = Files([_photo(actor, house.tenant, name) for name in said.photos], DOOR)
        comments.add_comment(actor=actor, ticket=ticket, text=said.text, source=source, files=files)
    if said.status:
        changes.set_status(actor=actor, ticket=ticket, status=said.status, source="back_office")


def _actor(house: DemoHouse, who: str) -> Actor:
    user: User = getattr(house, who)
    return enter(user, door="command", tenant_id=house.tenant.pk)


def _photo(actor: Actor, tenant: Organization, name: str) -> str:
    """A picture as a phone would send it; returns its handle."""
    out = io.BytesIO()
    _PICTURES[name]().save(out, "JPEG", quality=85)
    out.seek(0)
    return uploads.receive(
        out, user_id=actor.user_id or 0, tenant_id=tenant.pk, door=DOOR, name=f"IMG_{2041 + list(_PICTURES).index(name)}.jpg",
        limit=5 * 1024 * 1024,
    ).handle  # fmt: skip


_SIZE = (1200, 900)


def _ceiling() -> Image.Image:
    """A brown stain on white plaster."""
    picture = Image.linear_gradient("L").resize(_SIZE).point(lambda v: 205 + v // 8)
    plaster = Image.merge("RGB", (picture, picture.point(lambda v: v - 4), picture.point(lambda v: v - 12)))
    mask = Image.new("L", _SIZE)
    draw = ImageDraw.Draw(mask)
    for grow, strength in ((0, 90), (40, 60), (55, 150), (80, 110)):
        draw.ellipse((380 + grow, 220 + grow, 860 - grow, 640 - grow // 2), fill=strength)
    plaster.paste(Image.new("RGB", _SIZE, (150, 112, 62)), mask=mask.filter(ImageFilter.GaussianBlur(14)))
    return plaster


def _pipe() -> Image.Image:
    """A pipe on tiles, with a drop at its joint."""
    picture = Image.new("RGB", _SIZE, (222, 226, 226))
    draw = ImageDraw.Draw(picture)
    for at in range(0, 1200, 200):
        draw.line((at, 0, at, 900), fill=(188, 194, 195), width=6)
        draw.line((0, at, 1200, at), fill=(188, 194, 195), width=6)
    for shade in range(60):
        tone = 120 + int(110 * (1 - abs(shade - 22) / 40))
        draw.line((0, 360 + shade, 1200, 360 + shade), fill=(tone, tone - 28, max(0, tone - 80)), width=2)
    draw.rounded_rectangle((520, 335, 680, 445), 14, fill=(176, 140, 84), outline=(112, 84, 44), width=5)
    draw.polygon(((600, 470), (576, 530), (624, 530)), fill=(120, 160, 190))
    draw.ellipse((574, 508, 626, 562), fill=(120, 160, 190))
    draw.ellipse((584, 520, 600, 540), fill=(214, 230, 240))
    return picture.filter(ImageFilter.GaussianBlur(1.5))


def _cellar() -> Image.Image:
    """A lamp in a dark corridor."""
    picture = Image.new("RGB", _SIZE, (24, 22, 20))
    draw = ImageDraw.Draw(picture)
    draw.polygon(((0, 900), (420, 520), (780, 520), (1200, 900)), fill=(58, 52, 46))
    draw.rectangle((420, 220, 780, 520), fill=(38, 35, 31))
    light = Image.radial_gradient("L").resize((900, 900)).point(lambda v: max(0, 190 - 2 * v))
    picture.paste(Image.new("RGB", (900, 900), (255, 214, 140)), (150, -250), light)
    draw.rounded_rectangle((540, 160, 660, 200), 12, fill=(255, 246, 214))
    return picture.filter(ImageFilter.GaussianBlur(2))


def _yard() -> Image.Image:
    """Paving stones, of which one is broken."""
    picture = Image.new("RGB", _SIZE, (96, 98, 92))
    draw = ImageDraw.Draw(picture)
    for row in range(5):
        for column in range(6):
            left, top = column * 220 - (row % 2) * 110, row * 190
            tone = 150 + (row * 7 + column * 13) % 24
            draw.rounded_rectangle((left, top, left + 208, top + 178), 8, fill=(tone, tone - 2, tone - 10))
    draw.line(((540, 392), (590, 450), (570, 500), (640, 560)), fill=(52, 50, 46), width=9)
    draw.polygon(((590, 450), (640, 430), (620, 480)), fill=(70, 68, 62))
    return picture.filter(ImageFilter.GaussianBlur(1.2))


_PICTURES: dict[str, Callable[[], Image.Image]] = {"decke": _ceiling, "rohr": _pipe, "keller": _cellar, "hof": _yard}
