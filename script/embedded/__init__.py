"""Real servers as child processes, for the try-out and for tests: PostgreSQL, a pooler, Valkey, S3 and a virus scanner.

Standard library only, but for `S3`, which asks its server through the product's own boto3.
"""

from script.embedded.clamd import Clamd
from script.embedded.pooler import Pooler
from script.embedded.postgres import Postgres
from script.embedded.processes import Child, ServerError, stop_all
from script.embedded.s3 import S3
from script.embedded.valkey import Valkey

__all__ = ["S3", "Child", "Clamd", "Pooler", "Postgres", "ServerError", "Valkey", "stop_all"]
