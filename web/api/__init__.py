"""The API: a module a resource, with its documents and its handlers."""

from .alerts import (
    acknowledge_incident,
    get_incident,
    list_detectors,
    list_incidents,
    list_notifications,
    resolve_incident,
)
from .backtests import backtest_definition, backtest_detector
from .complete import complete_query
from .dead_letters import delete_dead_letter, get_dead_letter, list_dead_letters, replay_dead_letters
from .dashboards import change_dashboard, create_dashboard, delete_dashboard, get_dashboard, list_dashboards
from .deletions import (
    cancel_deletion,
    create_deletion,
    get_deletion,
    list_audit,
    list_deletions,
    preview_deletion,
)
from .fields import list_fields, list_values
from .health import get_health, get_metrics, get_ready
from .lookups import delete_lookup, get_lookup, get_lookup_data, list_lookups, put_lookup
from .query import cancel_query, explain_query, run_query
from .retention import get_retention, preview_retention
from .saved import (
    change_saved_query,
    create_saved_query,
    delete_saved_query,
    get_saved_query,
    list_saved_queries,
)
from .session import get_session, sign_in, sign_out
from .status import get_status, list_pipelines, list_plugins
from .tail import tail_events

HANDLERS = (
    run_query,
    cancel_query,
    explain_query,
    complete_query,
    tail_events,
    list_fields,
    list_values,
    list_detectors,
    list_incidents,
    get_incident,
    acknowledge_incident,
    resolve_incident,
    list_notifications,
    backtest_detector,
    backtest_definition,
    preview_deletion,
    create_deletion,
    list_deletions,
    get_deletion,
    cancel_deletion,
    list_audit,
    list_dead_letters,
    get_dead_letter,
    replay_dead_letters,
    delete_dead_letter,
    list_lookups,
    get_lookup,
    get_lookup_data,
    put_lookup,
    delete_lookup,
    list_saved_queries,
    get_saved_query,
    create_saved_query,
    change_saved_query,
    delete_saved_query,
    list_dashboards,
    get_dashboard,
    create_dashboard,
    change_dashboard,
    delete_dashboard,
    get_retention,
    preview_retention,
    get_status,
    list_plugins,
    list_pipelines,
    get_session,
    sign_in,
    sign_out,
    get_health,
    get_ready,
    get_metrics,
)
