from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        """Listen to what this floor itself announces: it becomes mail."""
        from tickets import receivers  # noqa: F401
