"""What this floor announces, inside the transaction."""

from django.dispatch import Signal

# message: Message – a text message that will not arrive: refused for good, or in vain as often as it was to be tried
text_message_failed = Signal()
