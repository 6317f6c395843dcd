"""PostgreSQL as Django speaks to it, with what this house knows better about its connections (`base`)."""
