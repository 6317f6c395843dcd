"""What cases there are, through which stages they go, and what a stage demands."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.models import MutableRow, TenantBound
from processes.models.visibility import circles_field, known_circles
from processes.querysets import OfStaff, ProcessStageQuerySet, ProcessTypeQuerySet


def _name_in(names: dict[str, str], language: str) -> str:
    return names.get(language) or names.get("de") or next(iter(names.values()), "")


class ProcessType(TenantBound, MutableRow):
    """A kind of case. ``names`` holds the name by language."""

    id = models.AutoField(primary_key=True)
    names = models.JSONField(_("names"), default=dict)
    position = models.PositiveIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("for new cases"), default=True)
    shared_with_residents = models.BooleanField(_("contract holders see the cases of their unit"), default=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    objects = ProcessTypeQuerySet.as_manager()

    class Meta:
        verbose_name = _("kind of case")
        verbose_name_plural = _("kinds of cases")
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name_in(get_language() or "de")

    def name_in(self, language: str) -> str:
        """The name in a language, else in German, else in any."""
        return _name_in(self.names, language)


class ProcessStage(TenantBound, MutableRow):
    """A stage of a kind of case. Equal positions are allowed; the id decides then."""

    id = models.AutoField(primary_key=True)
    type = models.ForeignKey(
        ProcessType, on_delete=models.PROTECT, related_name="stages", db_index=False, verbose_name=_("kind of case")
    )
    names = models.JSONField(_("names"), default=dict)
    position = models.PositiveIntegerField(_("order"), default=0)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    objects = ProcessStageQuerySet.as_manager()

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ("type", "position", "id")
        constraints = (
            # The target of the key (type_id, stage_id) of a case: its stage belongs to its type.
            models.UniqueConstraint(fields=("type", "id"), name="process_stage_of_type"),
        )

    def __str__(self) -> str:
        return self.name_in(get_language() or "de")

    def name_in(self, language: str) -> str:
        """The name in a language, else in German, else in any."""
        return _name_in(self.names, language)


class ProcessDefinition(TenantBound, MutableRow):
    """One version of the rules of a kind of case; cases keep the version they began with."""

    type = models.ForeignKey(ProcessType, on_delete=models.PROTECT, related_name="definitions", db_index=False)
    version = models.PositiveIntegerField(_("version"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    objects = OfStaff.as_manager()

    class Meta:
        verbose_name = _("definition")
        verbose_name_plural = _("definitions")
        ordering = ("type", "version", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("type", "version"),
                name="process_definition_once",
                violation_error_message=_("There is a definition with this version already."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.version}"


class StageRule(TenantBound, MutableRow):
    """What a definition demands of one stage."""

    definition = models.ForeignKey(ProcessDefinition, on_delete=models.CASCADE, related_name="rules", db_index=False)
    stage = models.ForeignKey(ProcessStage, on_delete=models.PROTECT, related_name="rules")
    next_stages = ArrayField(models.IntegerField(), default=list, blank=True, verbose_name=_("allowed next stages"))
    movers = circles_field(default=list, blank=True, verbose_name=_("who may move on"))
    fields = models.JSONField(_("form"), default=list, blank=True)
    checklist = models.JSONField(_("checklist"), default=list, blank=True)
    days = models.PositiveSmallIntegerField(_("days until due"), null=True, blank=True)
    required_documents = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("required documents")
    )
    visible_to = circles_field(default=list, blank=True, verbose_name=_("shown to"))

    objects = OfStaff.as_manager()

    class Meta:
        verbose_name = _("rule of a stage")
        verbose_name_plural = _("rules of stages")
        ordering = ("definition", "stage", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("definition", "stage"),
                name="stage_rule_once",
                violation_error_message=_("The stage has a rule already."),
            ),
            known_circles("movers", "stage_rule_movers"),
            known_circles("visible_to", "stage_rule_visible_to"),
        )

    def __str__(self) -> str:
        return f"{self.definition}: {self.stage}"
