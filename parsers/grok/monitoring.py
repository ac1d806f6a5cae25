r"""Patterns of Logstash's collection for Nagios and Bacula. Names and fields are its users'; the expressions are made
from what the two write: Nagios, `logging.c` and "External commands"; Bacula, "Messages Resource" and its sources."""

_STATE = r"(?<nagios_state>[^;]*)"
_HOST = r"(?<nagios_hostname>[^;]*)"
_SERVICE = r"(?<nagios_service>[^;]*)"
_MESSAGE = r"%{GREEDYDATA:nagios_message}"
_COMMENT = r"%{GREEDYDATA:nagios_comment}"
_LEVEL = r"(?<nagios_statelevel>[^;]*)"
_TYPES = {
    "CURRENT_SERVICE_STATE": (
        f"{_HOST};{_SERVICE};{_STATE};(?<nagios_statetype>[^;]*);(?<nagios_statecode>[^;]*);{_MESSAGE}"
    ),
    "CURRENT_HOST_STATE": f"{_HOST};{_STATE};(?<nagios_statetype>[^;]*);(?<nagios_statecode>[^;]*);{_MESSAGE}",
    "SERVICE_NOTIFICATION": (
        f"(?<nagios_notifyname>[^;]*);{_HOST};{_SERVICE};{_STATE};(?<nagios_contact>[^;]*);{_MESSAGE}"
    ),
    "HOST_NOTIFICATION": f"(?<nagios_notifyname>[^;]*);{_HOST};{_STATE};(?<nagios_contact>[^;]*);{_MESSAGE}",
    "SERVICE_ALERT": rf"{_HOST};{_SERVICE};{_STATE};{_LEVEL};%{{NUMBER:nagios_attempt}};{_MESSAGE}",
    "HOST_ALERT": rf"{_HOST};{_STATE};{_LEVEL};%{{NUMBER:nagios_attempt}};{_MESSAGE}",
    "SERVICE_FLAPPING_ALERT": f"{_HOST};{_SERVICE};{_STATE};{_MESSAGE}",
    "HOST_FLAPPING_ALERT": f"{_HOST};{_STATE};{_MESSAGE}",
    "SERVICE_DOWNTIME_ALERT": f"{_HOST};{_SERVICE};{_STATE};{_COMMENT}",
    "HOST_DOWNTIME_ALERT": f"{_HOST};{_STATE};{_COMMENT}",
    "PASSIVE_SERVICE_CHECK": f"{_HOST};{_SERVICE};{_STATE};{_COMMENT}",
    "PASSIVE_HOST_CHECK": f"{_HOST};{_STATE};{_COMMENT}",
    "SERVICE_EVENT_HANDLER": f"{_HOST};{_SERVICE};{_STATE};{_LEVEL};(?<nagios_event_handler_name>[^;]*)",
    "HOST_EVENT_HANDLER": f"{_HOST};{_STATE};{_LEVEL};(?<nagios_event_handler_name>[^;]*)",
    "TIMEPERIOD_TRANSITION": f"{_SERVICE};(?<nagios_unknown1>[^;]*);(?<nagios_unknown2>[^;]*)",
}
_COMMANDS = {
    "DISABLE_SVC_CHECK": f"{_HOST};{_SERVICE}",
    "ENABLE_SVC_CHECK": f"{_HOST};{_SERVICE}",
    "DISABLE_HOST_CHECK": _HOST,
    "ENABLE_HOST_CHECK": _HOST,
    "PROCESS_SERVICE_CHECK_RESULT": rf"{_HOST};{_SERVICE};{_STATE};%{{GREEDYDATA:nagios_check_result}}",
    "PROCESS_HOST_CHECK_RESULT": rf"{_HOST};{_STATE};%{{GREEDYDATA:nagios_check_result}}",
    "SCHEDULE_HOST_DOWNTIME": (
        rf"{_HOST};%{{NUMBER:nagios_start_time}};%{{NUMBER:nagios_end_time}};%{{NUMBER:nagios_fixed}};"
        r"%{NUMBER:nagios_trigger_id};%{NUMBER:nagios_duration};(?<author>[^;]*);%{GREEDYDATA:comment}"
    ),
    "SCHEDULE_SERVICE_DOWNTIME": (
        rf"{_HOST};{_SERVICE};%{{NUMBER:nagios_start_time}};%{{NUMBER:nagios_end_time}};%{{NUMBER:nagios_fixed}};"
        r"%{NUMBER:nagios_trigger_id};%{NUMBER:nagios_duration};(?<author>[^;]*);%{GREEDYDATA:comment}"
    ),
}
NAGIOS: dict[str, str] = (
    {"NAGIOSTIME": r"\[%{NUMBER:nagios_epoch}\]", "NAGIOS_WARNING": rf"Warning:\s*{_MESSAGE}"}
    | {f"NAGIOS_TYPE_{name}": name.replace("_", " ") for name in _TYPES}
    | {"NAGIOS_TYPE_EXTERNAL_COMMAND": "EXTERNAL COMMAND"}
    | {f"NAGIOS_{name}": rf"%{{NAGIOS_TYPE_{name}:nagios_type}}: {rest}" for name, rest in _TYPES.items()}
    | {f"NAGIOS_EC_{name}": name for name in _COMMANDS}
    | {
        f"NAGIOS_EC_LINE_{name}": (
            rf"%{{NAGIOS_TYPE_EXTERNAL_COMMAND:nagios_type}}: %{{NAGIOS_EC_{name}:nagios_command}};{rest}"
        )
        for name, rest in _COMMANDS.items()
    }
    | {
        "NAGIOSLOGLINE": (
            r"%{NAGIOSTIME} (?:%{NAGIOS_WARNING}|"
            + "|".join(
                [f"%{{NAGIOS_{name}}}" for name in _TYPES] + [f"%{{NAGIOS_EC_LINE_{name}}}" for name in _COMMANDS]
            )
            + ")"
        )
    }
)

_VOLUME = r'Volume "%{BACULA_VOLUME:volume}"'
_ON = r'on device "%{BACULA_DEVICE:device}" \(%{BACULA_DEVICEPATH}\)'
_WHEN = r"%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}"
_CLIENT = r"(?:Client: %{BACULA_HOST:client}|Storage daemon)"
_BACULA_MESSAGES = {
    "MAX_CAPACITY": rf"User defined maximum volume capacity %{{BACULA_CAPACITY}} exceeded {_ON}",
    "END_VOLUME": rf"End of medium on {_VOLUME} Bytes=%{{BACULA_CAPACITY}} Blocks=%{{BACULA_CAPACITY}} at {_WHEN}\.",
    "NEW_VOLUME": rf"Created new {_VOLUME} in catalog\.",
    "NEW_LABEL": rf"Labeled new {_VOLUME} {_ON}\.",
    "WROTE_LABEL": rf"Wrote label to prelabeled {_VOLUME} {_ON}",
    "NEW_MOUNT": rf"New volume \"%{{BACULA_VOLUME:volume}}\" mounted {_ON} at {_WHEN}\.",
    "NOOPEN": r"\s*Cannot open %{DATA}: ERR=%{GREEDYDATA:berror}",
    "NOOPENDIR": r"\s*Could not open directory %{DATA}: ERR=%{GREEDYDATA:berror}",
    "NOSTAT": r"\s*Could not stat %{DATA}: ERR=%{GREEDYDATA:berror}",
    "NOJOBS": rf"There are no more Jobs associated with {_VOLUME}\. Marking it purged\.",
    "ALL_RECORDS_PRUNED": rf'All records pruned from {_VOLUME}; marking it "Purged"',
    "BEGIN_PRUNE_JOBS": r"Begin pruning Jobs older than %{INT} months? %{INT} days? ?\.",
    "BEGIN_PRUNE_FILES": r"Begin pruning Files\.",
    "PRUNED_JOBS": r"Pruned %{INT} Jobs? for client %{BACULA_HOST:client} from catalog\.",
    "PRUNED_FILES": r"Pruned Files from %{INT} Jobs? for client %{BACULA_HOST:client} from catalog\.",
    "ENDPRUNE": r"End auto prune\.",
    "STARTJOB": r"Start Backup JobId %{INT}, Job=%{BACULA_JOB:job}",
    "STARTRESTORE": r"Start Restore Job %{BACULA_JOB:job}",
    "USEDEVICE": r'Using Device "%{BACULA_DEVICE:device}"',
    "DIFF_FS": r"\s*%{UNIXPATH} is a different filesystem\. Will not descend from %{UNIXPATH} into it\.",
    "JOBEND": r"Job write elapsed time = %{DATA:elapsed}, Transfer rate = %{NUMBER} [KMG]? ?Bytes/second",
    "NOPRUNE_JOBS": r"No Jobs found to prune\.",
    "NOPRUNE_FILES": r"No Files found to prune\.",
    "VOLUME_PREVWRITTEN": rf"{_VOLUME} previously written, moving to end of data\.",
    "READYAPPEND": rf"Ready to append to end of {_VOLUME} size=%{{INT}}",
    "CANCELLING": r"Cancelling duplicate JobId=%{INT}\.",
    "MARKCANCEL": r"JobId %{INT}, Job %{BACULA_JOB:job} marked to be canceled\.",
    "CLIENT_RBJ": r'shell command: run ClientRunBeforeJob "%{DATA:runjob}"$',
    "VSS": r"(?:Generate )?VSS (?:Writer)?",
    "MAXSTART": r"Fatal error: Job canceled because max start delay time exceeded\.",
    "DUPLICATE": r"Fatal error: JobId %{INT:duplicate} already running\. Duplicate job not allowed\.",
    "NOJOBSTAT": r"Fatal error: No Job status returned from FD\.",
    "FATAL_CONN": (
        rf"Fatal error: bsock\.c:[0-9]+ Unable to connect to {_CLIENT} on %{{HOSTNAME}}:%{{POSINT}}\."
        rf" ERR=%{{GREEDYDATA:berror}}"
    ),
    "NO_CONNECT": (
        rf"Warning: bsock\.c:[0-9]+ Could not connect to {_CLIENT} on %{{HOSTNAME}}:%{{POSINT}}\."
        rf" ERR=%{{GREEDYDATA:berror}}"
    ),
    "NO_AUTH": r"Fatal error: Unable to authenticate with File daemon at %{DATA}\. Possible causes:",
    "NOSUIT": r"No prior or suitable Full backup found in catalog\. Doing FULL backup\.",
    "JOB": r"(?:Error: )?Bacula %{BACULA_HOST} %{BACULA_VERSION} \(%{BACULA_VERSION}\):",
    "NOPRIOR": r"No prior Full backup Job record found\.",
}
BACULA: dict[str, str] = (
    {
        "BACULA_TIMESTAMP": r"%{MONTHDAY}-%{MONTH}(?:-%{YEAR})? %{HOUR}:%{MINUTE}(?::%{SECOND})?",
        "BACULA_HOST": r"[a-zA-Z0-9-]+",
        "BACULA_VOLUME": r"%{USER}",
        "BACULA_DEVICE": r"%{USER}",
        "BACULA_DEVICEPATH": r"%{UNIXPATH}",
        "BACULA_CAPACITY": r"[0-9]{1,3}(?:,[0-9]{3})*",
        "BACULA_VERSION": r"%{USER}",
        "BACULA_JOB": r"%{USER}",
    }
    | {f"BACULA_LOG_{name}": text for name, text in _BACULA_MESSAGES.items()}
    | {
        "BACULA_LOGLINE": (
            r"%{BACULA_TIMESTAMP:bts} %{BACULA_HOST:hostname}(?: JobId %{INT:jobid})?: (?:"
            + "|".join(f"%{{BACULA_LOG_{name}}}" for name in _BACULA_MESSAGES)
            + ")"
        )
    }
)
