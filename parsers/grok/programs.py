r"""Patterns of Logstash's collection for programs: Java, Ruby, databases, mail, balancers, clouds, monitoring, backup.
Names and fields are its users', the expressions are written for Rust's dialect from what the programs write.

Sources: the manuals of HAProxy ("Logging"), AWS ("Access log entries" of S3, ELB and CloudFront), Exim ("Log files"),
Nagios ("External commands", `logging.c`), Bacula ("Messages"), MongoDB, PostgreSQL, Redis (`MONITOR`), Rails, Tomcat.
"""

_HAPROXY_HEAD = (
    r"(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) "
    r"%{IPORHOST:syslog_server} %{SYSLOGPROG}: "
)
_HAPROXY_CLIENT = r"%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\] %{NOTSPACE:frontend_name}"
_HAPROXY_COUNTS = (
    r"%{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/"
    r"%{INT:backend_queue}"
)
_HAPROXY_SERVER = r"(?<backend_name>[^\s/]+)/%{NOTSPACE:server_name}"
_S3_NUMBERS = (
    r"(?:-|%{INT:bytes:int}) (?:-|%{INT:object_size:int}) (?:-|%{INT:request_time_ms:int}) (?:-|"
    r"%{INT:turnaround_time_ms:int})"
)
_CLOUDFRONT = (
    "cs_uri_stem sc_status:int referrer agent cs_uri_query cookies x_edge_result_type x_edge_request_id x_host_header "
    "cs_protocol cs_bytes:int time_taken:float x_forwarded_for ssl_protocol ssl_cipher x_edge_response_result_type"
)

PROGRAMS: dict[str, str] = {
    # Java
    "JAVACLASS": r"(?:[a-zA-Z$_][a-zA-Z$_0-9]*\.)*[a-zA-Z$_][a-zA-Z$_0-9]*",
    "JAVAFILE": r"[A-Za-z0-9_$. -]+",
    "JAVAMETHOD": r"(?:<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*)",
    "JAVASTACKTRACEPART": r"\s*at %{JAVACLASS:class}\.%{JAVAMETHOD:method}\(%{JAVAFILE:file}(?::%{INT:line})?\)",
    "JAVATHREAD": r"[A-Z]{2}-Processor[0-9]+",
    "JAVALOGMESSAGE": r".*",
    "CATALINA7_DATESTAMP": r"%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:%{MINUTE}:%{SECOND} (?:AM|PM)",
    "CATALINA8_DATESTAMP": r"%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}:%{SECOND}",
    "CATALINA_DATESTAMP": r"(?:%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP})",
    "CATALINA7_LOG": (
        r"%{CATALINA7_DATESTAMP:timestamp} %{JAVACLASS:class}(?: %{JAVAMETHOD:method})?\s+"
        r"%{JAVALOGMESSAGE:logmessage}"
    ),
    "CATALINA8_LOG": (
        r"%{CATALINA8_DATESTAMP:timestamp} %{LOGLEVEL:level} \[%{DATA:thread}\] %{JAVACLASS:class}\."
        r"%{JAVAMETHOD:method} "
        r"%{JAVALOGMESSAGE:logmessage}"
    ),
    "CATALINALOG": r"(?:%{CATALINA8_LOG}|%{CATALINA7_LOG})",
    "TOMCATLEGACY_DATESTAMP": (r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND}(?: %{ISO8601_TIMEZONE})?"),
    "TOMCATLEGACY_LOG": (
        r"%{TOMCATLEGACY_DATESTAMP:timestamp} \| %{LOGLEVEL:level} \| %{JAVACLASS:class} - "
        r"%{JAVALOGMESSAGE:logmessage}"
    ),
    "TOMCAT7_LOG": r"%{CATALINA7_LOG}",
    "TOMCAT8_LOG": r"%{CATALINA8_LOG}",
    "TOMCAT_DATESTAMP": r"(?:%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP}|%{TOMCATLEGACY_DATESTAMP})",
    "TOMCATLOG": r"(?:%{TOMCAT8_LOG}|%{TOMCAT7_LOG}|%{TOMCATLEGACY_LOG})",
    # Ruby
    "RUBY_LOGLEVEL": r"(?:DEBUG|FATAL|ERROR|WARN|INFO)",
    "RUBY_LOGGER": (
        r"[DFEWI], \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid:int}\] *%{RUBY_LOGLEVEL:loglevel} -- +"
        r"%{DATA:progname}: %{GREEDYDATA:message}"
    ),
    "RUUID": r"[0-9A-Fa-f]{32}",
    "RCONTROLLER": r"(?<controller>[^#\s]+)#(?<action>\w+)",
    "RAILS3HEAD": (
        r'Started %{WORD:verb} "%{URIPATHPARAM:request}" for %{IPORHOST:clientip} at '
        r"(?<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} %{ISO8601_TIMEZONE})"
    ),
    "RPROCESSING": (
        r"\W*Processing by %{RCONTROLLER} as (?<format>\S+)(?:\W*Parameters: \{(?<params>(?s:.*?))\}\W*\n)?"
    ),
    "RAILS3PROFILE": (
        r"(?:\(Views: %{NUMBER:viewms:float}ms \| ActiveRecord: %{NUMBER:activerecordms:float}ms"
        r"|\(ActiveRecord: %{NUMBER:activerecordms:float}ms)?"
    ),
    "RAILS3FOOT": r"Completed %{INT:response}%{DATA} in %{NUMBER:totalms:float}ms ?%{RAILS3PROFILE}%{GREEDYDATA}",
    "RAILS3": r"%{RAILS3HEAD}(?:%{RPROCESSING})?(?<context>(?:.*\n)*?)(?:%{RAILS3FOOT})?\s*$",
    # Databases
    "REDISTIMESTAMP": r"%{MONTHDAY} %{MONTH}(?: %{YEAR})? %{TIME}",
    "REDISLOG": r"\[%{POSINT:pid}\] %{REDISTIMESTAMP:timestamp} \* ",
    "REDISMONLOG": (
        r'%{NUMBER:timestamp} \[%{INT:database} %{IP:client}:%{INT:port:int}\] "%{WORD:command}"\s?%{GREEDYDATA:params}'
    ),
    "POSTGRESQL": r"%{DATESTAMP:timestamp} %{TZ} %{DATA:user_id} %{GREEDYDATA:connection_id} %{POSINT:pid}",
    "MONGO_LOG": r"%{SYSLOGTIMESTAMP:timestamp} \[%{WORD:component}\] %{GREEDYDATA:message}",
    "MONGO_QUERY": r"\{ .*? \}",
    "MONGO_WORDDASH": r"\b[\w-]+\b",
    "MONGO_SLOWQUERY": (
        r"%{WORD:op} %{MONGO_WORDDASH:database}\.%{MONGO_WORDDASH:collection} %{WORD}: %{MONGO_QUERY:query} "
        r"ntoreturn:%{NONNEGINT:ntoreturn} ntoskip:%{NONNEGINT:ntoskip} nscanned:%{NONNEGINT:nscanned}.*? "
        r"nreturned:%{NONNEGINT:nreturned}.*? (?<duration>[0-9]+)ms"
    ),
    "MONGO3_SEVERITY": r"\w",
    "MONGO3_COMPONENT": r"(?:%{WORD}|-)",
    "MONGO3_LOG": (
        r"%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} %{MONGO3_COMPONENT:component}\s*"
        r"(?:\[%{DATA:context}\])? %{GREEDYDATA:message}"
    ),
    # Mail
    "EXIM_MSGID": r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}",
    "EXIM_FLAGS": r"(?:<=|[-=>*]>|\*\*|==)",
    "EXIM_DATE": r"%{YEAR:exim_year}-%{MONTHNUM:exim_month}-%{MONTHDAY:exim_day} %{TIME:exim_time}",
    "EXIM_PID": r"\[%{POSINT:pid}\]",
    "EXIM_QT": r"(?:[0-9]+y)?(?:[0-9]+w)?(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?",
    "EXIM_EXCLUDE_TERMS": (
        r"(?:Message is frozen|(?:Start|End) queue run| Warning: | retry time not reached | no (?:IP"
        r" address|host name) "
        r"found for (?:IP address|host) | unexpected disconnection while reading SMTP command | no"
        r" immediate delivery: |"
        r"another process is handling this message)"
    ),
    "EXIM_REMOTE_HOST": (
        r"H=(?:(?<remote_hostname>[^\s(\[]+) )?(?:\(%{NOTSPACE:remote_heloname}\) )?\["
        r"%{IP:remote_host}\](?::%{POSINT:remote_port})?"
    ),
    "EXIM_INTERFACE": r"I=\[%{IP:exim_interface}\](?::%{INT:exim_interface_port})?",
    "EXIM_PROTOCOL": r"P=%{NOTSPACE:protocol}",
    "EXIM_MSG_SIZE": r"S=%{INT:exim_msg_size}",
    "EXIM_HEADER_ID": r"id=%{NOTSPACE:exim_header_id}",
    "EXIM_QUOTED_CONTENT": r"(?:\\.|[^\\\"])*",
    "EXIM_SUBJECT": r"T=%{QS:exim_subject}",
    "EXIM_UNKNOWN_FIELD": r"[A-Za-z]{1,4}=\S+",
    "EXIM_NAMED_FIELDS": (
        r"(?: (?:%{EXIM_REMOTE_HOST}|%{EXIM_INTERFACE}|%{EXIM_PROTOCOL}|%{EXIM_MSG_SIZE}|%{EXIM_HEADER_ID}|"
        r"%{EXIM_SUBJECT}|%{EXIM_UNKNOWN_FIELD}))*"
    ),
    "EXIM_MESSAGE_ARRIVAL": (
        r"%{EXIM_DATE:timestamp} (?:%{EXIM_PID} )?%{EXIM_MSGID:exim_msgid} (?<exim_flags><=) (?<exim_sender_email>\S+)"
        r"%{EXIM_NAMED_FIELDS}(?: for %{EMAILADDRESS:exim_recipient_email})?"
    ),
    "EXIM": r"%{EXIM_MESSAGE_ARRIVAL}",
    # Balancers and clouds
    "HAPROXYTIME": r"%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}:(?<haproxy_second>[0-5][0-9]|60)",
    "HAPROXYDATE": (
        r"%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}:%{HAPROXYTIME:haproxy_time}\."
        r"%{INT:haproxy_milliseconds}"
    ),
    "HAPROXYCAPTUREDREQUESTHEADERS": r"%{DATA:captured_request_headers}",
    "HAPROXYCAPTUREDRESPONSEHEADERS": r"%{DATA:captured_response_headers}",
    "HAPROXYURI": (
        r"(?:%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::[^@]*)?@)?(?:%{URIHOST:http_host})?"
        r"(?:%{URIPATHPARAM:http_request})?"
    ),
    "HAPROXYHTTPREQUESTLINE": r"(?:<BADREQ>|%{WORD:http_verb} %{HAPROXYURI}(?: HTTP/%{NUMBER:http_version})?)",
    "HAPROXYHTTPBASE": (
        rf"{_HAPROXY_CLIENT} {_HAPROXY_SERVER} %{{INT:time_request}}/%{{INT:time_queue}}/%{{INT:time_backend_connect}}/"
        r"%{INT:time_backend_response}/%{NOTSPACE:time_duration} %{INT:http_status_code} %{NOTSPACE:bytes_read} "
        r"%{NOTSPACE:captured_request_cookie} %{NOTSPACE:captured_response_cookie} %{NOTSPACE:termination_state} "
        rf"{_HAPROXY_COUNTS} (?:\{{%{{HAPROXYCAPTUREDREQUESTHEADERS}}\}} ?)?"
        r"(?:\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\} ?)?"
        r'"%{HAPROXYHTTPREQUESTLINE}?"?'
    ),
    "HAPROXYHTTP": rf"{_HAPROXY_HEAD}%{{HAPROXYHTTPBASE}}",
    "HAPROXYTCP": (
        rf"{_HAPROXY_HEAD}{_HAPROXY_CLIENT} {_HAPROXY_SERVER} %{{INT:time_queue}}/%{{INT:time_backend_connect}}/"
        rf"%{{NOTSPACE:time_duration}} %{{NOTSPACE:bytes_read}} %{{NOTSPACE:termination_state}} {_HAPROXY_COUNTS}"
    ),
    "HAPROXYERROR": (
        rf"{_HAPROXY_HEAD}%{{IP:client_ip}}:%{{INT:client_port}} \[%{{HAPROXYDATE:accept_date}}\] "
        r"(?<frontend_name>[^\s/]+)/%{NOTSPACE:bind_name}: %{GREEDYDATA:error_message}"
    ),
    "S3_REQUEST_LINE": r"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})",
    "S3_ACCESS_LOG": (
        r"%{WORD:owner} %{NOTSPACE:bucket} \[%{HTTPDATE:timestamp}\] (?:-|%{IP:clientip}) %{NOTSPACE:requester} "
        r"%{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key} (?:\"%{S3_REQUEST_LINE}\"|-) "
        rf"(?:-|%{{INT:response:int}}) (?:-|%{{NOTSPACE:error_code}}) {_S3_NUMBERS} (?:-|"
        rf"%{{QS:referrer}}) (?:-|%{{QS:agent}}) "
        r"(?:-|%{NOTSPACE:version_id})"
    ),
    "ELB_URIHOST": r"%{IPORHOST:urihost}(?::%{POSINT:port:int})?",
    "ELB_URIPATHQUERY": r"%{URIPATH:path}(?:\?%{URIQUERY:query})?",
    "ELB_URIPATHPARAM": r"%{URIPATH:path}(?:%{URIPARAM:params})?",
    "ELB_URI": r"%{URIPROTO:proto}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST:urihost})?(?:%{ELB_URIPATHPARAM})?",
    "ELB_REQUEST_LINE": r"(?:%{WORD:verb} %{ELB_URI:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})",
    "ELB_V1_HTTP_LOG": (
        r"%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:int} "
        r"(?:%{IP:backendip}:%{INT:backendport:int}|-) %{NUMBER:request_processing_time:float} "
        r"%{NUMBER:backend_processing_time:float} %{NUMBER:response_processing_time:float} (?:-|%{INT:response:int}) "
        r'(?:-|%{INT:backend_response:int}) %{INT:received_bytes:int} %{INT:bytes:int} "%{ELB_REQUEST_LINE}"'
        r'(?: "%{DATA:user_agent}" (?:-|%{NOTSPACE:ssl_cipher}) (?:-|%{NOTSPACE:ssl_protocol}))?'
    ),
    "ELB_ACCESS_LOG": r"%{ELB_V1_HTTP_LOG}",
    "CLOUDFRONT_DATESTAMP": r"[0-9]{4}-[0-9]{2}-[0-9]{2}\t[0-9:]{8}",
    "CLOUDFRONT_ACCESS_LOG": (
        r"%{CLOUDFRONT_DATESTAMP:timestamp}\t%{NOTSPACE:x_edge_location}\t(?:-|%{INT:sc_bytes:int})\t"
        r"%{IPORHOST:clientip}\t%{WORD:cs_method}\t%{HOSTNAME:cs_host}\t"
        + r"\t".join(rf"%{{TABBED:{field}}}" for field in _CLOUDFRONT.split())
    ),
    "TABBED": r"[^\t]*",
    # Maven, and MCollective
    "MAVEN_VERSION": r"(?:[0-9]+\.)?(?:[0-9]+\.)?(?:\*|[0-9]+)(?:[.-](?:RELEASE|SNAPSHOT))?",
    "MCOLLECTIVE": r"., \[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\]%{SPACE}%{LOGLEVEL:event_level}",
    "MCOLLECTIVEAUDIT": r"%{TIMESTAMP_ISO8601:timestamp}:",
}
