"""What the lowest floor announces, inside the transaction."""

from django.dispatch import Signal

# blob: Blob – its bytes were held back while they were checked, and may leave from now on
blob_cleared = Signal()
