"""The demo's cases: what goes through stages at a managing company, and how far it has come. All of it by the services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orgs.actor import enter
from orgs.models import Contact, Unit
from orgs.services import quick_actions
from processes.services import cases, kinds

if TYPE_CHECKING:
    from orgs.demo import DemoHouse
    from processes.models import ProcessStage, ProcessType

# German, English, French and Polish name; whether the holders of a contract for the unit follow it; stages likewise.
_KINDS = (
    (
        ("Eigentümerwechsel", "Change of owner", "Changement de propriétaire", "Zmiana właściciela"), True,
        (("Angezeigt", "Announced", "Annoncé", "Zgłoszona"), ("Zustimmung erteilt", "Consent given", "Accord donné", "Zgoda udzielona"),
         ("Umgeschrieben", "Register changed", "Inscrit", "Przepisana")),
    ),
    (
        ("Versicherungsschaden", "Insurance claim", "Sinistre", "Szkoda ubezpieczeniowa"), True,
        (("Gemeldet", "Reported", "Déclaré", "Zgłoszona"), ("Gutachten", "Expert report", "Expertise", "Opinia rzeczoznawcy"),
         ("Reguliert", "Settled", "Indemnisé", "Rozliczona")),
    ),
    (
        ("Bauliche Veränderung", "Structural alteration", "Travaux", "Przebudowa"), False,
        (("Antrag", "Application", "Demande", "Wniosek"), ("Beschluss", "Resolution", "Décision", "Uchwała"),
         ("Ausführung", "Works", "Exécution", "Wykonanie")),
    ),
)  # fmt: skip
# Kind, unit, who it is about, at which stage, subject, report.
_CASES = (
    (1, "07", "owner", 1, "Wasserfleck an der Decke im Bad",
     ("<p>Der Spülkasten in der Wohnung darüber war undicht. Die Versicherung der Gemeinschaft schickt einen Gutachter.</p>"
     "<p>Die Schadensanzeige ist gestellt, Fotos liegen bei.</p>")),
    (2, "07", "owner", 0, "Markise an der Loggia", "<p>Die Eigentümerin möchte eine Markise anbringen, Ton in Ton mit den Nachbarn.</p>"),
)  # fmt: skip


def build(house: DemoHouse) -> int:
    """Kinds with their stages, cases, and the clerk's quick action; returns how many cases."""
    actor = enter(house.admin, door="command", tenant_id=house.tenant.pk)
    made: list[tuple[ProcessType, list[ProcessStage]]] = []
    for position, (names, is_shared, stages) in enumerate(_KINDS):
        values = {"names": _by_language(names), "position": position, "shared_with_residents": is_shared}
        kind = kinds.create_type(actor=actor, tenant_id=house.tenant.pk, values=values)
        made.append(
            (
                kind,
                [
                    kinds.create_stage(
                        actor=actor, process_type=kind, values={"names": _by_language(stage), "position": place}
                    )
                    for place, stage in enumerate(stages)
                ],
            )
        )
    for number, flat, who, at, subject, report in _CASES:
        kind, kind_stages = made[number]
        unit = Unit.objects.get(community=house.communities[0], identifier=flat)
        contact = Contact.objects.get(user=getattr(house, who), tenant=house.tenant, is_primary=True)
        case = cases.open_case(
            actor=actor,
            unit=unit,
            contact=contact,
            process_type=kind,
            stage=kind_stages[0],
            subject=subject,
            report=report,
        )
        if at:
            cases.change_case(actor=actor, process=case, changes={"stage": kind_stages[at]})
    claim = {
        "name": "Versicherungsschaden melden",
        "resource": "process-type",
        "resource_id": made[1][0].pk,
        "icon": "shield",
    }
    quick_actions.replace(actor=actor, organization=house.tenant, actions=[claim])
    return len(_CASES)


def _by_language(names: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(("de", "en", "fr", "pl"), names, strict=True))
