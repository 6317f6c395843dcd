from django.apps import AppConfig


class DocmsConfig(AppConfig):
    name = "docms"

    def ready(self) -> None:
        """Listen to the floors below."""
        from docms import receivers  # noqa: F401
