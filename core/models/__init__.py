"""The tables of the lowest floor."""

from core.models.audit import AuditCheckpoint, AuditEntry
from core.models.base import TENANT, MutableRow, Row, TenantBound, one_of
from core.models.blobs import Blob, Upload
from core.models.operations import DestructionRecord, JobRun, NumberCounter, SystemLog, Throttle

__all__ = [
    "TENANT",
    "AuditCheckpoint",
    "AuditEntry",
    "Blob",
    "DestructionRecord",
    "JobRun",
    "MutableRow",
    "NumberCounter",
    "Row",
    "SystemLog",
    "TenantBound",
    "Throttle",
    "Upload",
    "one_of",
]
