"""What the try-out's company answers before anybody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.services import rows
from portal.models import FaqGroup, FaqItem
from tickets.models import TicketType

if TYPE_CHECKING:
    from orgs.models import Organization

_ANSWERS = (
    ("Wer zahlt die Reinigung, wenn der Abfluss langsam abläuft?", "Abfluss Rohr verstopft Bad Küche", "Wasser",
     "Innerhalb der Wohnung zahlt, wer dort wohnt. Ab der Hauptleitung zahlt die Gemeinschaft. Wir sehen uns das gern an."),
    ("Wo stelle ich das Wasser ab?", "Rohrbruch Absperrhahn Hauptwasserhahn", "Wasser",
     "In Ihrer Wohnung unter der Spüle und im Bad hinter der Klappe. Für das ganze Haus liegt der Hahn im Keller, Raum K3."),
    ("Die Heizung wird nicht warm. Was kann ich selbst versuchen?", "Heizkörper kalt entlüften Ventil", "Heizung",
     ("Drehen Sie das Ventil ganz auf und warten Sie eine Stunde. Gluckert es, entlüften Sie den Heizkörper. Bleibt er kalt, melden "
      "Sie es bitte: wir prüfen dann auch die Anlage im Keller.")),
    ("Wann kommt die Abrechnung?", "Nebenkosten Hausgeld Jahresabrechnung", "Abrechnung",
     "Bis Ende Juni für das Jahr davor. Sie liegt dann unter „Dokumente“, und Sie bekommen eine E-Mail."),
    ("Wie bekomme ich einen weiteren Schlüssel?", "Schlüssel verloren nachbestellen Transponder", "Schlüssel",
     "Über ein Anliegen mit der Zahl der Schlüssel. Sie kommen nach etwa zwei Wochen; die Kosten trägt, wer bestellt."),
    ("Was gehört in welche Tonne?", "Müll Abfall Papier Bio Sperrmüll", "",
     "Papier in die blaue, Verpackungen in die gelbe, Küchenabfälle in die braune Tonne. Sperrmüll holt die Stadt nach Anmeldung."),
)  # fmt: skip


def build(tenant: Organization) -> int:
    """Answers for all communities; returns how many."""
    group = rows.create(FaqGroup, tenant=tenant, title="Wohnen")
    types = {kind.name: kind for kind in TicketType.objects.filter(tenant=tenant)}
    for position, (title, keywords, kind, text) in enumerate(_ANSWERS):
        rows.create(
            FaqItem, tenant=tenant, group=group, title=title, keywords=keywords, ticket_type=types.get(kind), text=text,
            position=position,
        )  # fmt: skip
    return len(_ANSWERS)
