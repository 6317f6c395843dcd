"""The web pages of the portal: one module per page family."""
