from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self) -> None:
        """Tell the floors below what their quick actions can start here."""
        from tickets import resources

        resources.register()
