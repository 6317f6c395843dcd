"""Texts of mails and text messages that people may change; what is missing here is built in."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import TENANT, MutableRow, one_of
from messaging.querysets import TemplateQuerySet
from orgs.languages import USER_LANGUAGES


class Template(MutableRow):
    """One text of a tenant (primary and English side by side) or of the installation (a row per language).

    ``kind`` is an open list: each floor brings its own kinds. Fallback works per field (DOCMS-148).
    """

    tenant = models.ForeignKey(
        TENANT, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=40)
    language = models.CharField(_("language"), max_length=2, choices=USER_LANGUAGES, blank=True)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    body = models.TextField(_("text"), max_length=100000, blank=True)
    subject_en = models.CharField(_("subject (English)"), max_length=250, blank=True)
    body_en = models.TextField(_("text (English)"), max_length=100000, blank=True)
    to_email = models.EmailField(_("visible recipient"), max_length=254, blank=True)
    rest_bcc = models.BooleanField(_("everybody else in BCC"), default=False)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ("kind", "language", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "kind", "language"),
                nulls_distinct=False,
                name="template_once",
                violation_error_message=_("There is a text of this kind already."),
            ),
            models.CheckConstraint(
                condition=(Q(tenant=None, subject_en="", body_en="") & ~Q(language=""))
                | Q(tenant__isnull=False, language=""),
                name="template_shape",
                violation_error_message=_("A text of the installation has a language, a text of a tenant has none."),
            ),
            models.CheckConstraint(
                condition=Q(rest_bcc=False) | ~Q(to_email=""),
                name="template_bcc_needs_to",
                violation_error_message=_("With everybody in BCC, a visible recipient is needed."),
            ),
            one_of("language", ["", *(code for code, _name in USER_LANGUAGES)], "template_language"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.language}".strip()
