from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Listen to the floors below."""
        from portal import receivers  # noqa: F401
