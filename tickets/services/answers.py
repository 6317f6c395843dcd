"""What a ticket type asks, and what was answered: checked here for every door, kept as a snapshot with the ticket.

Answers come in the types of JSON: text, number, true or false, ``YYYY-MM-DD``, a list of upload handles. What a door gets
in other shapes (a form knows text alone) it puts into these first; what cannot be read it hands on as it is, to be refused.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import moments
from core.errors import Invalid
from core.text import is_blank
from orgs.languages import user_language
from tickets import rules
from tickets.models import TicketType, TicketTypeField
from tickets.services import filing
from tickets.services.attachments import NONE, Files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orgs.actor import Actor
    from orgs.models import Community, Contact, Unit
    from tickets.querysets import TicketTypeQuerySet

Kind = TicketTypeField.Kind
LINE_MAX, TEXT_MAX = 500, 10_000  # characters (PORTAL-060)
NUMBER_MAX = 10**12  # beyond it floats no longer tell cents apart
FILES_MAX = 10  # of one message
YEARS = range(1900, 2101)  # of a day that people mean
_NUMBER = re.compile(r"-?\d{1,15}([.,]\d{1,9})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def typed(field: TicketTypeField, value: Any) -> Any:
    """What somebody typed into a form, in the type that `check` takes: a number with point or comma; else as it is."""
    if field.field_type == Kind.NUMBER and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value.strip().replace(",", "."))
        return int(number) if number.is_integer() else number
    return value


class WrongAnswers(Invalid):
    """Answers that do not fit: ``fields`` has the sentence and ``codes`` the code of each, both by field id."""

    def __init__(self, problems: Mapping[str, tuple[str, str]]) -> None:
        self.codes = {field: code for field, (code, _sentence) in problems.items()}
        codes = set(self.codes.values())
        super().__init__(
            code=codes.pop() if len(codes) == 1 else "invalid",
            fields={field: [sentence] for field, (_code, sentence) in problems.items()},
        )


@dataclass(frozen=True)
class Answers:
    """The snapshot as the ticket keeps it, the same in words, and the files."""

    snapshot: list[dict[str, Any]]
    text: str
    handles: list[str]


def offered(actor: Actor, community: Community) -> TicketTypeQuerySet[TicketType]:
    """The types that somebody may use in a community (PORTAL-057, 088); all of them for its managers."""
    roles = None if rules.manages(actor, community.pk) else rules.roles_in(actor, community.pk)
    types: TicketTypeQuerySet[TicketType] = TicketType.objects.visible_to(actor).offered_in(community, roles)
    return types


@transaction.atomic
def file_answers(
    *,
    actor: Actor,
    community: Community,
    ticket_type: TicketType,
    given: Mapping[str, Any],
    source: str,
    door: str,
    unit: Unit | None = None,
    external_ref: str = "",
) -> filing.Filed:
    """File a ticket of a type with the answers to its fields, ``given`` by field id as text (PORTAL-056 … 063).

    ``door`` is where the files were uploaded. Without unit it concerns the common property; residents name one of their
    own. Title and description come from type and answers. Side effects: those of `filing.file_ticket`.

    Raises `Invalid` (``invalid_choice``) for a type that is not offered here or a unit of others, `WrongAnswers`, and what
    `filing.file_ticket` raises.
    """
    rules.require(rules.may_file(actor, community))
    chosen = offered(actor, community).filter(pk=ticket_type.pk).prefetch_related("fields").first()
    if chosen is None:
        problem = _("This type is not offered here.")
        raise Invalid(problem, code="invalid_choice", fields={"ticket_type": [problem]})
    check_unit(actor, community, unit)
    answers = check(chosen.fields.all(), given, language=user_language(community.tenant.language))
    return filing.file_ticket(
        actor=actor,
        community=community,
        text=answers.text or chosen.name,
        source=source,
        ticket_type=chosen,
        answers=answers.snapshot,
        unit=unit,
        files=Files(answers.handles, door),
        external_ref=external_ref,
    )


@transaction.atomic
def file_for_caller(
    *,
    actor: Actor,
    community: Community,
    text: str,
    source: str,
    title: str = "",
    ticket_type: TicketType | None = None,
    given: Mapping[str, Any] | None = None,
    unit: Unit | None = None,
    requester: Contact | None = None,
    files: Files = NONE,
) -> filing.Filed:
    """File what somebody has called about: what staff wrote, and below it the answers to what the type asks.

    Files of the answers come through the door of ``files``. Side effects: those of `filing.file_ticket`.

    Raises `Invalid` for a type that is not offered there, `WrongAnswers`, and what `filing.file_ticket` raises.
    """
    found = Answers([], "", [])
    if ticket_type is not None:
        chosen = offered(actor, community).filter(pk=ticket_type.pk).prefetch_related("fields").first()
        if chosen is None:
            raise Invalid.of("ticket_type", _("This type is not offered here."))
        found = check(chosen.fields.all(), given or {}, language=user_language(community.tenant.language))
    return filing.file_ticket(
        actor=actor,
        community=community,
        text="\n\n".join(filter(None, (text.strip(), found.text))),
        title=title,
        source=source,
        ticket_type=ticket_type,
        answers=found.snapshot,
        unit=unit,
        requester=requester,
        files=Files([*files.handles, *found.handles], files.door),
    )


def check_unit(actor: Actor, community: Community, unit: Unit | None) -> None:
    """Raise `Invalid` (``invalid_choice``) for a unit elsewhere, or one that is not the resident's (PORTAL-017)."""
    if unit is None:
        return
    own = rules.manages(actor, community.pk) or unit.pk in actor.units
    if unit.community_id != community.pk or not own:
        problem = _("This unit is not one of yours.")
        raise Invalid(problem, code="invalid_choice", fields={"unit": [problem]})


def check(fields: Iterable[TicketTypeField], given: Mapping[str, Any], *, language: str) -> Answers:
    """Look at every answer; ``given`` is by field id as text. The words are written in ``language``.

    Raises `WrongAnswers` that names every field whose answer is missing (``required``), does not fit
    (``invalid_value``), or that the type does not have (``unknown_field``).
    """
    asked = {str(field.pk): field for field in sorted(fields, key=lambda f: (f.position, f.pk)) if field.is_active}
    problems: dict[str, tuple[str, str]] = {}
    good: list[tuple[TicketTypeField, Any]] = []
    for key in given:
        if key not in asked:
            problems[key] = ("unknown_field", _("This type does not ask for it."))
    for key, field in asked.items():
        value = given.get(key)
        if _is_empty(value) or (field.required and field.field_type == Kind.CHECKBOX and value is False):
            if field.required:
                problems[key] = ("required", _missing(field))
        elif problem := _problem(field, value):
            problems[key] = ("invalid_value", problem)
        else:
            good.append((field, value.strip() if isinstance(value, str) else value))
    handles = [handle for field, value in good if field.field_type == Kind.FILE for handle in value]
    if len(handles) > FILES_MAX:
        problems |= {str(f.pk): ("invalid_value", too_many_files()) for f, _v in good if f.field_type == Kind.FILE}
    if problems:
        raise WrongAnswers(problems)
    told = [(field, value) for field, value in good if field.field_type != Kind.FILE]
    snapshot = [_entry(field, value) for field, value in told]
    return Answers(snapshot, in_words(snapshot, language), handles)


def too_many_files() -> str:
    """The sentence for it."""
    return _("At most %(count)d files at once, please.") % {"count": FILES_MAX}


def _entry(field: TicketTypeField, value: Any) -> dict[str, Any]:
    return {"field_id": field.pk, "name": field.name, "fieldType": field.field_type, "value": value}


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and is_blank(value))


def _missing(field: TicketTypeField) -> str:
    if field.field_type == Kind.CHECKBOX:
        return _("Please tick this box.")
    return _("Please choose at least one file.") if field.field_type == Kind.FILE else _("Please fill in this field.")


def _problem(field: TicketTypeField, value: Any) -> str:
    """Why an answer does not fit its field, for people; nothing when it does."""
    kind = field.field_type
    if kind in (Kind.TEXTFIELD, Kind.TEXTBOX):
        return _wrong_text(value, LINE_MAX if kind == Kind.TEXTFIELD else TEXT_MAX, lines=kind == Kind.TEXTBOX)
    if kind == Kind.NUMBER:
        return _wrong_number(value, field.decimals)
    if kind == Kind.CHECKBOX:
        return "" if isinstance(value, bool) else _("Please say yes or no.")
    if kind == Kind.DROPDOWN:
        return "" if isinstance(value, str) and value.strip() in field.options else _("Please choose from the list.")
    if kind == Kind.DATE:
        return _wrong_day(value)
    is_list = isinstance(value, list) and all(isinstance(handle, str) for handle in value)
    return "" if is_list and len(set(value)) == len(value) else _("These are no uploaded files.")


def _wrong_text(value: Any, most: int, *, lines: bool) -> str:
    if not isinstance(value, str) or "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        return _("Please enter a text.")
    if len(value.strip()) > most:
        return _("The text is too long: %(count)d characters at most.") % {"count": most}
    return "" if lines or len(value.strip().splitlines()) < 2 else _("Please write this in one line.")


def _wrong_number(value: Any, decimals: int | None) -> str:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return _("Please enter a number.")
    if abs(value) > NUMBER_MAX:
        return _("This number is too large.")
    if decimals is not None and round(value, decimals) != value:
        if decimals == 0:
            return _("Please enter a whole number.")
        told = ngettext("At most %(count)d decimal, please.", "At most %(count)d decimals, please.", decimals)
        return told % {"count": decimals}
    return ""


def _wrong_day(value: Any) -> str:
    day = _day(value)
    if day is None:
        return _("Please enter a date.")
    return "" if day.year in YEARS else _("Please enter a date between %(first)d and %(last)d.") % {
        "first": YEARS[0], "last": YEARS[-1],
    }  # fmt: skip


def _day(value: Any) -> datetime.date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
        return None
    try:
        return datetime.date.fromisoformat(value.strip())
    except ValueError:
        return None


def shown(answer: Mapping[str, Any]) -> str:
    """An answer of a snapshot as people of the active language read it."""
    kind, value = answer.get("fieldType"), answer.get("value")
    if kind == Kind.CHECKBOX:
        return _("yes") if value else _("no")
    if kind == Kind.NUMBER and isinstance(value, int | float):
        return formats.localize(value, use_l10n=True) or ""
    if kind == Kind.DATE and (day := _day(value)):
        return moments.day(day)
    return str(value if value is not None else "")


def free_words(snapshot: Iterable[Mapping[str, Any]]) -> str:
    """What somebody wrote freely among the answers of a ticket."""
    return "\n\n".join(str(answer.get("value", "")) for answer in snapshot if answer.get("fieldType") == Kind.TEXTBOX)


def excerpt(title: str, snapshot: Iterable[Mapping[str, Any]], text: str) -> str:
    """What tells tickets of one type apart in a list: what was written freely, unless the title says it."""
    said = free_words(snapshot) or text
    return "" if said == title else said


def in_words(snapshot: Sequence[Mapping[str, Any]], language: str) -> str:
    """The description: what was written freely as it is, when that is all; else each answer with its question."""
    if len(snapshot) == 1 and snapshot[0].get("fieldType") in (Kind.TEXTBOX, Kind.TEXTFIELD):
        return str(snapshot[0].get("value", ""))
    with translation.override(language):
        lines = [f"{_asked(answer)}{shown(answer)}" for answer in snapshot]
    return "\n".join(lines)[: filing.TEXT_MAX]


def apart(text: str, snapshot: Sequence[Mapping[str, Any]], language: str) -> tuple[str, list[tuple[str, str]]]:
    """A description as it is read: what was written besides the answers, and each question with its answer.

    ``language`` – the one the description was written in. Where it does not hold the answers in these words, or holds
    nothing but one text, it says all there is.
    """
    words = in_words(snapshot, language)
    is_one_text = len(snapshot) == 1 and words == snapshot[0].get("value")
    if not words or is_one_text or not text.endswith(words):
        return text, []
    return text.removesuffix(words).strip(), [(str(answer.get("name", "")), shown(answer)) for answer in snapshot]


def _asked(answer: Mapping[str, Any]) -> str:
    """The question before its answer; a text stands below it."""
    name = str(answer.get("name", ""))
    ends = name.rstrip()[-1:] in ("?", ":", ".")
    return f"{name}{'' if ends else ':'}" + ("\n" if answer.get("fieldType") == Kind.TEXTBOX else " ")
