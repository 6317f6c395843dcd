"""One event, many people: what all readers of a language get alike is rendered once, the person is put in."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from messaging.services.render import SUBJECT_MAX, Rendered, render
from orgs.languages import user_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from messaging.services.texts import Source

PERSONAL = ("user_name", "username")
# Words that look the same before and after escaping, cleaning, linking and folding of blanks. Others take the long way.
_PLAIN = re.compile(r"[^\W_]+(?:[ -][^\W_]+)*")
# A mark that stands for itself: at its place a plain value changes nothing around it, as in the middle of an address.
_FREE = r"(?<=[\s>]){}(?=[\s<,.;:!?])"
# Where a value decides what the mark-up is: in a tag, in an attribute, in a comment.
_IN_TAG = re.compile(r"<[^>]*\{\{\s*(?:" + "|".join(PERSONAL) + r")\s*\}\}")


@dataclass(frozen=True)
class _Model:
    """A mail with marks in place of the person."""

    mail: Rendered
    used: dict[str, str]  # names that matter, with their mark; '' where it cannot be replaced


class MailMerge:
    """Renders the mails of one event. The result is the same as that of `render` for each person."""

    def __init__(self, source: Source, context: Mapping[str, Any]) -> None:
        self._source, self._context = source, context
        self._marks = {name: f"m{secrets.token_hex(8)}" for name in PERSONAL if name not in context}
        self._models: dict[tuple[str, ...], _Model] = {}

    def render(self, *, language: str, **person: str) -> Rendered:
        """The mail of a person who reads ``language``; ``person`` holds the values of `PERSONAL`. See `render`."""
        own = {name: person.get(name, "") for name in self._marks}
        given = {name: self._marks[name] for name, value in own.items() if value}
        model = self._models.get((language, *given))
        if model is None:
            model = self._models[language, *given] = self._model(language, given)
        mail = model.mail
        for name, mark in model.used.items():
            if not mark or not _PLAIN.fullmatch(own[name]):
                return self._render(language, own)
            mail = replace(
                mail,
                subject=mail.subject.replace(mark, own[name]),
                html=mail.html.replace(mark, own[name]),
                text=mail.text.replace(mark, own[name]),
            )
        # One that is too long was, or would be, cut.
        return mail if len(mail.subject) < SUBJECT_MAX > len(model.mail.subject) else self._render(language, own)

    def _model(self, language: str, marks: Mapping[str, str]) -> _Model:
        mail = self._render(language, marks)
        written = self._source.choose(user_language(language or self._source.tenant_language)).body
        return _Model(mail, dict.fromkeys(PERSONAL, "") if _IN_TAG.search(written) else _used(mail, marks))

    def _render(self, language: str, own: Mapping[str, str]) -> Rendered:
        return render(self._source.kind, language=language, context={**own, **self._context}, source=self._source)


def _used(mail: Rendered, marks: Mapping[str, str]) -> dict[str, str]:
    """The names whose mark the mail shows, with the mark; without, where a value might change what is around it."""
    used = {}
    for name, mark in marks.items():
        if mark in mail.html or mark in mail.text or mark in mail.subject:
            free = len(re.findall(_FREE.format(mark), mail.html))
            used[name] = mark if free == mail.html.count(mark) else ""
    return used
