"""What detectors that learn have in common: a value for each bin of time and group, and a model for each group."""

from .config import SeriesConfig
from .detector import SeriesDetector
from .model import Model, Point, Verdict

__all__ = ["Model", "Point", "SeriesConfig", "SeriesDetector", "Verdict"]
