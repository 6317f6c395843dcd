from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        """Listen to what this floor itself announces: it becomes mail. Tell the floors below what quick actions can start."""
        from tickets import receivers, resources  # noqa: F401

        resources.register()
