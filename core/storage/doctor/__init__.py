"""The checks of a store: is what was committed whole, and will the database keep it so (see docs/doctor.md)."""

from .examination import Examination, examine
from .finding import Finding, Level

__all__ = ["Examination", "Finding", "Level", "examine"]
