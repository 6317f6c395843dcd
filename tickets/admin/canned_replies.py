"""Ready-made replies."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin.forms import HouseForm
from tickets.admin.base import SetUpAdmin
from tickets.models import CannedReply, SupportType
from tickets.services import canned


class CannedReplyForm(HouseForm):
    """Name and text, and on which tickets it is offered."""

    support_type = forms.ChoiceField(
        label=_("only for the support type"),
        required=False,
        choices=[("", _("on every ticket")), *SupportType.choices],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = CannedReply
        fields = ("name", "text", "support_type", "position", "is_active")
        help_texts: ClassVar[dict[str, Any]] = {
            "text": format_lazy(
                "{intro} {names}",
                intro=_("Placeholders that are filled in when the reply is chosen:"),
                names=", ".join(f"{{{{{name}}}}}" for name in canned.PLACEHOLDERS),
            )
        }


class CannedReplyAdmin(SetUpAdmin):
    """Texts that staff put into their answers."""

    form = CannedReplyForm
    list_display = ("name", "kind", "position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "text")
    ordering = ("position", "id")

    @display(description=_("only for the support type"))
    def kind(self, reply: CannedReply) -> str:
        """In words."""
        return str(SupportType(reply.support_type).label) if reply.support_type else "–"
