"""LogQL expressions and their rows: `LINES` over a store with `STREAMS`, `SERIES` at one moment, `REFUSED`: why.

What is expected is what Loki's documentation says of each ("LogQL: Log query language", "Log queries", "Metric
queries", "Matching IP addresses", "Template functions"), over these few lines.
"""

from __future__ import annotations

from typing import Any

AT = 1_769_860_800  # seconds: 2026-01-31T12:00:00Z

# name: (seconds after AT, line, structured metadata)
SHOP = {
    "s0": (0, '{"method":"GET","status":200,"took":"120ms","size":"2KB","user":{"name":"ann"}}', "info"),
    "s1": (10, '{"method":"POST","status":500,"took":"1.5s","size":"10KB","user":{"name":"bob"}}', "error"),
    "s2": (20, '{"method":"GET","status":404,"took":"80ms","size":"1KB","user":{"name":"ann"}}', "warn"),
    "s3": (30, "Plain text, no JSON", ""),
}
AUTH = {
    "a0": (5, 'level=info msg="login ok" user=ann took=5ms ip=10.0.0.7', "info"),
    "a1": (15, 'level=error msg="login failed" user=bob took=300ms ip=192.168.1.9', "error"),
    "a2": (25, 'level=error msg="login failed" user=eve took=1m5s ip=10.1.2.3', "error"),
}
EDGE = {
    "e0": (8, '1.2.3.4 - - "GET /cart HTTP/1.1" 200 512', ""),
    "e1": (18, '1.2.3.5 - - "POST /pay HTTP/1.1" 502 64', ""),
    "e2": (28, "\x1b[31mred\x1b[0m alert", ""),
}
STREAMS: dict[tuple[str, str, str], dict[str, tuple[int, str, str]]] = {
    ("shop", "prod", "web-1"): SHOP,
    ("auth", "dev", "web-2"): AUTH,
    ("edge", "prod", "web-1"): EDGE,
}
ALL = "s0 a0 e0 s1 a1 e1 s2 a2 e2 s3"


def push() -> dict[str, Any]:
    """The events as Promtail sends them."""
    return {
        "streams": [
            {
                "stream": {"service_name": service, "env": env, "instance": host},
                "values": [
                    [f"{AT + second}000000000", line, {"detected_level": level} if level else {}]
                    for second, line, level in lines.values()
                ],
            }
            for (service, env, host), lines in STREAMS.items()
        ]
    }


# ---- log queries: the names of the lines, oldest first --------------------------------------------------------------

LINES: dict[str, str] = {
    # selectors
    '{service_name="shop"}': "s0 s1 s2 s3",
    '{service_name!="shop"}': "a0 e0 a1 e1 a2 e2",
    '{service_name=~"sh.*|auth"}': "s0 a0 s1 a1 s2 a2 s3",
    '{service_name=~"sho"}': "",
    '{service_name!~"sh.*|auth"}': "e0 e1 e2",
    '{env="prod", host="web-1", service_name=~".+"}': "s0 e0 s1 e1 s2 e2 s3",
    '{env=~".+"}': ALL,
    '{nothing=""}': ALL,
    '{nothing="x"}': "",
    '{nothing=~".*"}': ALL,
    '{nothing=~".+"}': "",
    '{detected_level="error"}': "s1 a1 a2",
    '{level=~"warn|info"}': "s0 a0 s2",
    '{detected_level="unknown"}': "e0 e1 e2 s3",
    # lines
    '{env=~".+"} |= "login"': "a0 a1 a2",
    '{env=~".+"} |= "Login"': "",
    '{env=~".+"} != "login" != "status"': "e0 e1 e2 s3",
    '{env=~".+"} |~ "(?i)LOGIN (ok|FAILED)"': "a0 a1 a2",
    '{env=~".+"} |~ "GET|POST" !~ "cart"': "s0 s1 e1 s2",
    '{env=~".+"} |= "ann" or "bob"': "s0 a0 s1 a1 s2",
    '{env=~".+"} != "ann" or "bob" |= "user"': "a2",
    '{service_name="auth"} |= `msg="login failed"`': "a1 a2",
    '{service_name="edge"} |> `<_> - - "GET <_>`': "e0",
    '{service_name="edge"} !> `<_> - - "GET <_>`': "e1 e2",
    '{service_name="edge"} |~ "/pay|/cart"': "e0 e1",
    # json
    '{service_name="shop"} | json | status >= 400': "s1 s2",
    '{service_name="shop"} | json | status == 200': "s0",
    '{service_name="shop"} | json | method="GET" and status != 200': "s2",
    '{service_name="shop"} | json | method="POST" or status=404': "s1 s2",
    '{service_name="shop"} | json | user_name="ann"': "s0 s2",
    '{service_name="shop"} | json who="user.name", code="status" | who=~"b.*", code="500"': "s1",
    '{service_name="shop"} | json | __error__=""': "s0 s1 s2",
    '{service_name="shop"} | json | __error__="JSONParserErr"': "s3",
    '{service_name="shop"} | json | took > 100ms': "s0 s1",
    '{service_name="shop"} | json | size <= 2KB': "s0 s2",
    '{service_name="shop"} | json | (status < 300 or took < 100ms) and method="GET"': "s0 s2",
    '{service_name="shop"} | json | missing=""': "s0 s1 s2 s3",
    '{service_name="shop"} | json | status=~"[45].." | line_format "{{.method}} {{.status}}" |= "POST 500"': "s1",
    # logfmt
    '{service_name="auth"} | logfmt | user="bob"': "a1",
    '{service_name="auth"} | logfmt | msg="login failed" | user != "bob"': "a2",
    '{service_name="auth"} | logfmt | took > 250ms': "a1 a2",
    '{service_name="auth"} | logfmt | took > 1m': "a2",
    '{service_name="auth"} | logfmt --strict who="user" | who="eve"': "a2",
    '{service_name="auth"} | logfmt | ip = ip("10.0.0.0/8")': "a0 a2",
    '{service_name="auth"} | logfmt | ip != ip("10.0.0.0/8")': "a1",
    '{service_name="auth"} | logfmt | ip = ip("10.0.0.1-10.0.0.9")': "a0",
    '{service_name="auth"} | logfmt | level="error", user="eve"': "a2",
    # regexp, pattern
    r'{service_name="edge"} | regexp "\"(?P<method>\\w+) (?P<path>\\S+)" | method="POST"': "e1",
    '{service_name="edge"} | pattern `<ip> - - "<method> <path> <_>" <status> <size>` | status >= 500': "e1",
    '{service_name="edge"} | pattern `<ip> - - "<method> <_>` | ip="1.2.3.4"': "e0",
    # formats
    '{service_name="auth"} | logfmt | label_format who=user | who="ann"': "a0",
    '{service_name="auth"} | logfmt | label_format who="{{.user | ToUpper}}-x" | who="ANN-x"': "a0",
    '{service_name="edge"} | decolorize |= "red alert"': "e2",
    '{service_name="auth"} | logfmt | drop user | took="5ms"': "a0",
    '{service_name="auth"} | logfmt | keep user | took="5ms"': "a0",
    '{service_name="shop"} | detected_level="error" # a comment': "s1",
}

# What the lines themselves become.
FORMATTED: dict[str, list[str]] = {
    '{service_name="shop"} | json | status="500" | line_format "{{.method}}: {{.user_name | upper}}"': ["POST: BOB"],
    '{service_name="edge"} |= "red" | decolorize': ["red alert"],
    '{service_name="auth"} | logfmt | user="eve" | line_format "{{.user}} {{.took}} {{.nope}}!"': ["eve 1m5s !"],
    '{service_name="auth"} | logfmt | user="ann" | line_format `{{__line__ | trunc 10}}`': ["level=info"],
    '{service_name="auth"} | logfmt | user="bob" | line_format `{{.user | replace "b" "p"}}`': ["pop"],
    '{service_name="auth"} | logfmt | user="bob" | line_format `{{.nick | default "none"}}`': ["none"],
}

# ---- metric queries at AT + 60 s: labels as `a=x,b=y` → value ------------------------------------------------------

SERIES: dict[str, dict[str, float]] = {
    'sum(count_over_time({env=~".+"}[1m]))': {"": 9},  # the window is (AT, AT + 60 s]: s0 lies on its edge
    'sum(count_over_time({env=~".+"}[2m]))': {"": 10},
    'sum by (service_name) (count_over_time({env=~".+"}[2m]))': {
        "service_name=shop": 4, "service_name=auth": 3, "service_name=edge": 3,
    },
    'count_over_time({service_name="shop"}[2m])': {"host=web-1,service_name=shop": 4},
    'sum(rate({service_name="auth"}[1m]))': {"": 0.05},
    'sum by (env) (bytes_over_time({service_name="edge"} |= "GET" [2m]))': {"env=prod": 40},
    'sum(bytes_rate({service_name="edge"} |= "GET" [40s] offset 30s))': {"": 1},
    'sum(count_over_time({env=~".+"}[30s] offset 30s))': {"": 9},
    'sum by (detected_level) (count_over_time({env=~".+"} | detected_level != "" [2m]))': {
        "detected_level=info": 2, "detected_level=error": 3, "detected_level=warn": 1, "detected_level=unknown": 4,
    },
    'sum without (host, env, service_name) (count_over_time({env="prod"}[2m]))': {"": 7},
    'max by (env) (sum by (service_name, env) (count_over_time({env=~".+"}[2m])))': {"env=prod": 4, "env=dev": 3},
    'min(sum by (service_name) (count_over_time({env=~".+"}[2m])))': {"": 3},
    'avg(sum by (env) (count_over_time({env=~".+"}[2m])))': {"": 5},
    'count(count_over_time({env=~".+"}[2m]))': {"": 3},
    'stddev(sum by (env) (count_over_time({env=~".+"}[2m])))': {"": 2},
    'stdvar(sum by (env) (count_over_time({env=~".+"}[2m])))': {"": 4},
    'topk(1, sum by (service_name) (count_over_time({env=~".+"}[2m])))': {"service_name=shop": 4},
    'bottomk(1, sum by (env) (count_over_time({env=~".+"}[2m])))': {"env=dev": 3},
    'sort_desc(sum by (env) (count_over_time({env=~".+"}[2m])))': {"env=prod": 7, "env=dev": 3},
    'sum by (method) (count_over_time({service_name="shop"} | json | __error__="" [2m]))': {
        "method=GET": 2, "method=POST": 1,
    },
    'sum_over_time({service_name="shop"} | json | unwrap status [2m]) by (method)': {
        "method=GET": 604, "method=POST": 500,
    },
    'avg_over_time({service_name="shop"} | json | unwrap status | __error__="" [2m]) by (method)': {
        "method=GET": 302, "method=POST": 500,
    },
    'max_over_time({service_name="auth"} | logfmt | unwrap duration(took) [2m]) by (env)': {"env=dev": 65},
    'min_over_time({service_name="shop"} | json | unwrap bytes(size) [2m]) by (env)': {"env=prod": 1000},
    'first_over_time({service_name="shop"} | json | unwrap status [2m]) by (env)': {"env=prod": 200},
    'last_over_time({service_name="shop"} | json | unwrap status [2m]) by (env)': {"env=prod": 404},
    'stdvar_over_time({service_name="shop"} | json | method="GET" | unwrap status [2m]) by (env)': {"env=prod": 10404},
    'stddev_over_time({service_name="shop"} | json | method="GET" | unwrap status [2m]) by (env)': {"env=prod": 102},
    'quantile_over_time(0.5, {service_name="shop"} | json | unwrap status [2m]) by (env)': {"env=prod": 404},
    'sum(rate({service_name="shop"} | json | unwrap status [100s]))': {"": 11.04},
    'absent_over_time({service_name="nobody", env="x"}[2m])': {"env=x,service_name=nobody": 1},
    'absent_over_time({service_name="shop"}[2m])': {},
    'sum(count_over_time({service_name="auth"} |= "failed" [2m])) / sum(count_over_time({env="dev"}[2m])) * 300': {
        "": 200,
    },
    'sum by (env) (count_over_time({env=~".+"}[2m])) > 5': {"env=prod": 7},
    'sum by (env) (count_over_time({env=~".+"}[2m])) > bool 5': {"env=prod": 1, "env=dev": 0},
    '2 ^ sum(count_over_time({service_name="auth"}[2m])) % 5': {"": 3},
    'sum by (env) (count_over_time({env=~".+"}[2m])) and sum by (env) (count_over_time({service_name="auth"}[2m]))': {
        "env=dev": 3,
    },
    'sum by (env) (count_over_time({env=~".+"}[2m])) unless sum by (env) (count_over_time({env="dev"}[2m]))': {
        "env=prod": 7,
    },
    'sum by (env) (count_over_time({service_name="auth"}[2m])) or vector(9)': {"env=dev": 3, "": 9},
    'sum by (service_name, env) (count_over_time({env="prod"}[2m])) / on (env) group_left () '
    'sum by (env) (count_over_time({env="prod"}[2m])) * 7': {
        "env=prod,service_name=shop": 4, "env=prod,service_name=edge": 3,
    },
    'label_replace(sum by (service_name) (count_over_time({env="dev"}[2m])), "s", "$1", "service_name", "(..).*")': {
        "s=au,service_name=auth": 3,
    },
    "vector(1)+vector(1)": {"": 2},
    'sum(count_over_time({env=~".+"}[2m])) / 0': {"": float("inf")},
}  # fmt: skip

# ---- what is refused, and what is said ------------------------------------------------------------------------------

REFUSED: dict[str, str] = {
    '{env="prod"} | unpack': "not supported: | unpack",
    '{env="prod"} |= ip("10.0.0.0/8")': "not supported: |= ip(…)",
    '{env="prod"} | line_format "{{if .x}}y{{end}}"': "not supported: {{if .x}} in a template",
    'sum(rate_counter({env="prod"} | logfmt | unwrap x [1m]))': "not supported: rate_counter",
    'approx_topk(3, sum by (env) (rate({env="prod"}[1m])))': "not supported: approx_topk",
    '{env="prod"': "parse error at line 1, col 12: syntax error: unexpected end",
    '{env="prod"} | json | and': "parse error at line 1, col 26: syntax error: unexpected end",
    'sum(rate({env="prod"}))': "syntax error",
    '{env=~"("}': "the regular expression '(' is none",
    '{env="prod"} |~ "["': "the regular expression '[' is none",
    'sum_over_time({env="prod"}[1m])': "sum_over_time needs | unwrap LABEL",
    'count_over_time({env="prod"} | unwrap x [1m])': "count_over_time takes no | unwrap",
    '{env="prod"} | unwrap x': "unwrap gives samples",
    'topk(sum(rate({env="prod"}[1m])))': "topk takes a number and an expression",
    '{env="prod"} | logfmt | ip = ip("10.0.0/8")': "ip('10.0.0/8')",
    '{env="prod"} | regexp "(\\\\w+)"': "| regexp: nothing here has a name",
    '{env="prod"} | pattern "<_> x"': "the pattern has no capture with a name",
    "": "syntax error: unexpected end",
}
