"""The provider's codes: delivery statuses and result codes, as data."""

from ._results import ResultCode, error_class, lookup, result_codes
from ._statuses import DeliveryStatus, Phase, known_statuses

__all__ = [
    "DeliveryStatus",
    "Phase",
    "ResultCode",
    "error_class",
    "known_statuses",
    "lookup",
    "result_codes",
]
