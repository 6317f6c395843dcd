"""Real PostgreSQL and Valkey servers as child processes, for the try-out and for tests. Standard library only."""

from script.embedded.pooler import Pooler
from script.embedded.postgres import Postgres
from script.embedded.processes import Child, ServerError, stop_all
from script.embedded.valkey import Valkey

__all__ = ["Child", "Pooler", "Postgres", "ServerError", "Valkey", "stop_all"]
