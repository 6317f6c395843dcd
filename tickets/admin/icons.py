"""The chooser of icons: each as the picture it is."""

from __future__ import annotations

from typing import Any

from django.forms import RadioSelect
from django.templatetags.static import static


class IconChooser(RadioSelect):
    """Radio buttons with the pictures of the sprite; a name stands beside each for who does not see them."""

    template_name = "admin/tickets/icon_chooser.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """With the address of the sprite."""
        return {**super().get_context(name, value, attrs), "sprite": static("img/icons.svg")}
