"""The YAML and the environment: `load` a file, `Settings` of the process, `pipeline_schema` for editors."""

from .aws import AwsSecrets
from .engine_address import EngineAddress
from .errors import ConfigErrors
from .limits import Limits, ProjectLimits
from .loader import load, load_store, load_text
from .models import (
    DEFAULT,
    Branch,
    Config,
    DetectorEntry,
    Entry,
    NotifierEntry,
    OutputEntry,
    Pipeline,
    PipelineTest,
    PlaceEntry,
    RecordingSettings,
    ReportSettings,
    SourceEntry,
    Step,
    StoreSettings,
)
from .routes import Incident, Rota, Route, Routing, Told
from .schema import pipeline_schema
from .settings import Settings
from .silences import Maintenance, Matchers, Recurring
from .units import Duration, Size, format_duration, parse_duration, parse_size
from .written import Written

__all__ = [
    "DEFAULT",
    "AwsSecrets",
    "Branch",
    "Config",
    "ConfigErrors",
    "DetectorEntry",
    "Duration",
    "EngineAddress",
    "Entry",
    "Incident",
    "Limits",
    "Maintenance",
    "Matchers",
    "NotifierEntry",
    "OutputEntry",
    "Pipeline",
    "PipelineTest",
    "PlaceEntry",
    "ProjectLimits",
    "RecordingSettings",
    "Recurring",
    "ReportSettings",
    "Rota",
    "Route",
    "Routing",
    "Settings",
    "Size",
    "SourceEntry",
    "Step",
    "StoreSettings",
    "Told",
    "Written",
    "format_duration",
    "load",
    "load_store",
    "load_text",
    "parse_duration",
    "parse_size",
    "pipeline_schema",
]
