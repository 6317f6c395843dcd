"""Import of a property register: a file becomes rows (`reading`), rows become a register (`engine`).

`runs` does that outside of requests, with progress, for files of any size a register has.
"""

from orgs.services.register.engine import ImportResult, import_rows
from orgs.services.register.reading import RawRow, Refused, RowError, read_csv, refusal

__all__ = ["ImportResult", "RawRow", "Refused", "RowError", "import_rows", "read_csv", "refusal"]
