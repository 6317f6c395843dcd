"""The tables of cases."""

from processes.models.definitions import ProcessDefinition, ProcessStage, ProcessType, StageRule
from processes.models.feed import ProcessActivity, ProcessDocument
from processes.models.holds import ProcessHold
from processes.models.processes import Process, ProcessClerk, ProcessIndex, WorkOrder
from processes.models.visibility import Circle

__all__ = [
    "Circle",
    "Process",
    "ProcessActivity",
    "ProcessClerk",
    "ProcessDefinition",
    "ProcessDocument",
    "ProcessHold",
    "ProcessIndex",
    "ProcessStage",
    "ProcessType",
    "StageRule",
    "WorkOrder",
]
