"""The API: a module a resource, with its documents and its handlers."""

from .acknowledge import acknowledge_by_link, show_acknowledgement, take_slack_action
from .alerts import (
    acknowledge_incident,
    comment_incident,
    get_incident,
    list_detectors,
    list_incidents,
    list_notifications,
    resolve_incident,
)
from .audit import export_audit, list_audit
from .backtests import backtest_definition, backtest_detector
from .bell import get_bell, read_bell
from .causes import list_causes
from .complete import complete_query
from .configuration import get_configuration
from .dashboards import change_dashboard, create_dashboard, delete_dashboard, get_dashboard, list_dashboards
from .dead_letters import delete_dead_letter, get_dead_letter, list_dead_letters, replay_dead_letters
from .deletions import (
    cancel_deletion,
    create_deletion,
    get_deletion,
    list_deletions,
    preview_deletion,
)
from .fields import list_fields, list_values
from .figures import get_incident_figures
from .health import get_health, get_metrics, get_ready
from .lookups import delete_lookup, get_lookup, get_lookup_data, list_lookups, put_lookup
from .mcp import answer_mcp
from .notifiers import list_notifiers, preview_notifier, test_notifier
from .oidc import finish_oidc, start_oidc
from .passkeys import (
    add_passkey,
    delete_passkey,
    list_passkeys,
    sign_in_by_passkey,
    start_new_passkey,
    start_passkey,
)
from .patterns import change_pattern, create_pattern, delete_pattern, get_pattern, list_patterns
from .pipelines import list_pipelines, tap_pipeline, try_pipeline
from .projects import create_project, get_project, list_projects
from .query import cancel_query, explain_query, run_query
from .recordings import backfill_recording, get_recorded_metrics, get_recording, list_recordings
from .reports import (
    get_report_issue,
    get_report_issue_data,
    get_report_issue_html,
    get_report_issue_pdf,
    list_report_issues,
    list_reports,
    make_report_issue,
    preview_report,
)
from .resets import ask_for_reset, choose_password, make_reset_link
from .retention import get_retention, preview_retention
from .roles import change_role, create_role, delete_role, get_role, list_roles
from .saved import (
    change_saved_query,
    create_saved_query,
    delete_saved_query,
    get_saved_query,
    list_saved_queries,
)
from .session import (
    change_password,
    create_first_admin,
    end_session,
    get_session,
    list_sessions,
    sign_in,
    sign_out,
)
from .shared import open_shared, run_shared
from .shares import create_share, list_shares, revoke_share
from .silences import (
    change_silence,
    create_silence,
    end_silence,
    get_silence,
    list_maintenance,
    list_silences,
)
from .status import get_status, list_plugins
from .tail import tail_events
from .tokens import create_token, get_token, list_tokens, revoke_token
from .totp import confirm_second_factor, get_second_factor, start_second_factor, stop_second_factor
from .users import change_user, create_user, delete_user, get_user, list_users, reset_password

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
    list_causes,
    get_incident_figures,
    acknowledge_incident,
    comment_incident,
    resolve_incident,
    list_notifications,
    get_bell,
    read_bell,
    list_silences,
    get_silence,
    create_silence,
    change_silence,
    end_silence,
    list_maintenance,
    show_acknowledgement,
    acknowledge_by_link,
    take_slack_action,
    backtest_detector,
    backtest_definition,
    list_notifiers,
    preview_notifier,
    test_notifier,
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
    export_audit,
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
    list_patterns,
    get_pattern,
    create_pattern,
    change_pattern,
    delete_pattern,
    list_dashboards,
    get_dashboard,
    create_dashboard,
    change_dashboard,
    delete_dashboard,
    list_reports,
    preview_report,
    list_report_issues,
    make_report_issue,
    get_report_issue,
    get_report_issue_html,
    get_report_issue_pdf,
    get_report_issue_data,
    list_recordings,
    get_recording,
    backfill_recording,
    get_recorded_metrics,
    get_retention,
    preview_retention,
    get_configuration,
    answer_mcp,
    get_status,
    list_plugins,
    list_pipelines,
    try_pipeline,
    tap_pipeline,
    get_session,
    sign_in,
    sign_out,
    start_oidc,
    finish_oidc,
    get_second_factor,
    start_second_factor,
    confirm_second_factor,
    stop_second_factor,
    start_passkey,
    sign_in_by_passkey,
    list_passkeys,
    start_new_passkey,
    add_passkey,
    delete_passkey,
    list_sessions,
    end_session,
    change_password,
    ask_for_reset,
    choose_password,
    create_first_admin,
    list_users,
    create_user,
    get_user,
    change_user,
    delete_user,
    reset_password,
    make_reset_link,
    list_roles,
    create_role,
    get_role,
    change_role,
    delete_role,
    list_tokens,
    create_token,
    get_token,
    revoke_token,
    list_shares,
    create_share,
    revoke_share,
    open_shared,
    run_shared,
    list_projects,
    create_project,
    get_project,
    get_health,
    get_ready,
    get_metrics,
)
