"""The chooser of icons: each as the picture it is."""

from __future__ import annotations

from typing import Any

from django.forms import RadioSelect
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

NAMES: dict[str, Any] = {
    "tools": _("tools"), "drop": _("drop"), "flame": _("flame"), "bolt": _("lightning"), "key": _("key"),
    "door": pgettext_lazy("icon", "door"), "bin": _("waste bin"), "lock": _("lock"), "warning": _("warning sign"),
    "calendar": _("calendar"), "mail": _("envelope"), "phone": _("telephone"), "paper": _("sheet of paper"),
    "people": _("people"), "device": _("screen"), "help": _("question mark"), "info": _("information"),
    "home": _("house"), "camera": _("camera"), "ticket": _("speech bubble"),
}  # fmt: skip


class IconChooser(RadioSelect):
    """Radio buttons with the pictures of the sprite; a name stands beside each for who does not see them."""

    template_name = "admin/tickets/icon_chooser.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """With the address of the sprite."""
        return {**super().get_context(name, value, attrs), "sprite": static("img/icons.svg")}
