r"""Patterns of Logstash's collection for firewalls, routers, proxies and name servers: names and fields are its users',
the expressions are written for Rust's dialect from what the makers say about their lines.

Sources: Cisco, "ASA Series Syslog Messages"; Juniper, "NetScreen Message Log Reference" and "SRX RT_FLOW"; netfilter's
`LOG` target, which Shorewall and SuSE's firewall use; Zeek, "Log Files"; Squid, `logformat squid`; BIND, "querylog".
"""

_ASA_SOURCE = r"%{IP:src_ip}/%{INT:src_port}"
_ASA_TARGET = r"%{IP:dst_ip}/%{INT:dst_port}"
_BETWEEN = (
    r"%{DATA:src_interface}:%{IP:src_ip}/%{INT:src_port}",
    r"%{DATA:dst_interface}:%{IP:dst_ip}/%{INT:dst_port}",
)
_HASHES = r"\[%{DATA:hashcode1}, %{DATA:hashcode2}\]"
_UNIT = r"\((?:Primary|Secondary)\)"


def _user(field: str) -> str:
    """The user whom the firewall knows, in brackets behind an address."""
    return rf"(?:\(%{{DATA:{field}}}\))?"


ASA: dict[str, str] = {
    "CISCOTIMESTAMP": r"%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}",
    "CISCOTAG": r"[A-Z0-9]+-[0-7]-[A-Z0-9_]+",
    "CISCO_TAGGED_SYSLOG": (
        r"^<%{POSINT:syslog_pri}>%{CISCOTIMESTAMP:timestamp}(?: %{SYSLOGHOST:sysloghost})? ?: %%{CISCOTAG:ciscotag}:"
    ),
    "CISCO_ACTION": (
        r"(?:Built|Teardown|Deny|Denied|denied by"
        r" ACL|denied|requested|permitted|discarded|est-allowed|Dropping|created|"
        r"deleted)"
    ),
    "CISCO_REASON": (
        r"(?:Duplicate TCP SYN|Failed to locate egress interface|Invalid transport field|No matching connection|"
        r"DNS Response|DNS Query|(?:\w+\s*)*)"
    ),
    "CISCO_DIRECTION": r"(?:[Ii]nbound|[Oo]utbound)",
    "CISCO_INTERVAL": r"(?:first hit|[0-9]+-second interval)",
    "CISCO_XLATE_TYPE": r"(?:static|dynamic)",
    "CISCOFW104001": _UNIT + r" Switching to ACTIVE - %{GREEDYDATA:switch_reason}",
    "CISCOFW104002": _UNIT + r" Switching to STANDBY - %{GREEDYDATA:switch_reason}",
    "CISCOFW104003": _UNIT + r" Switching to FAILED\.",
    "CISCOFW104004": _UNIT + r" Switching to OK\.",
    "CISCOFW105003": _UNIT + r" Monitoring on [Ii]nterface %{NOTSPACE:interface_name} waiting",
    "CISCOFW105004": _UNIT + r" Monitoring on [Ii]nterface %{NOTSPACE:interface_name} normal",
    "CISCOFW105005": _UNIT + r" Lost Failover communications with mate on [Ii]nterface %{GREEDYDATA:interface_name}",
    "CISCOFW105008": _UNIT + r" Testing [Ii]nterface %{GREEDYDATA:interface_name}",
    "CISCOFW105009": _UNIT + r" Testing on [Ii]nterface %{NOTSPACE:interface_name} (?:Passed|Failed)",
    "CISCOFW106001": (
        r"%{CISCO_DIRECTION:direction} %{WORD:protocol} connection %{CISCO_ACTION:action} from "
        rf"{_ASA_SOURCE} to {_ASA_TARGET} flags %{{DATA:tcp_flags}} *on interface %{{GREEDYDATA:interface}}"
    ),
    "CISCOFW106006_106007_106010": (
        r"%{CISCO_ACTION:action} %{CISCO_DIRECTION:direction} %{WORD:protocol} (?:from|src) "
        rf"{_ASA_SOURCE}{_user('src_fwuser')} (?:to|dst) {_ASA_TARGET}{_user('dst_fwuser')} "
        r"(?:on interface %{NOTSPACE:interface}|due to %{CISCO_REASON:reason})"
    ),
    "CISCOFW106014": (
        r"%{CISCO_ACTION:action} %{CISCO_DIRECTION:direction} %{WORD:protocol} src %{DATA:src_interface}:%{IP:src_ip}"
        rf"{_user('src_fwuser')} dst %{{DATA:dst_interface}}:%{{IP:dst_ip}}{_user('dst_fwuser')} "
        r"\(type %{INT:icmp_type}, code %{INT:icmp_code}\)"
    ),
    "CISCOFW106015": (
        rf"%{{CISCO_ACTION:action}} %{{WORD:protocol}} \(%{{DATA:policy_id}}\) from {_ASA_SOURCE} to {_ASA_TARGET} "
        r"flags %{DATA:tcp_flags} *on interface %{GREEDYDATA:interface}"
    ),
    "CISCOFW106021": (
        r"%{CISCO_ACTION:action} %{WORD:protocol} reverse path check from %{IP:src_ip} to %{IP:dst_ip} on interface "
        r"%{GREEDYDATA:interface}"
    ),
    "CISCOFW106023": (
        r"%{CISCO_ACTION:action}(?: protocol)? %{WORD:protocol} src %{DATA:src_interface}:(?<src_ip>[^\s/(]+)"
        rf"(?:/%{{INT:src_port}})?{_user('src_fwuser')} dst %{{DATA:dst_interface}}:(?<dst_ip>[^\s/(]+)"
        rf"(?:/%{{INT:dst_port}})?{_user('dst_fwuser')}(?: \(type %{{INT:icmp_type}}, code %{{INT:icmp_code}}\))? "
        rf"by access-group \"?%{{DATA:policy_id}}\"? {_HASHES}"
    ),
    "CISCOFW106100_2_3": (
        r"access-list %{NOTSPACE:policy_id} %{CISCO_ACTION:action} %{WORD:protocol} for user '%{DATA:src_fwuser}' "
        r"%{DATA:src_interface}/%{IP:src_ip}\(%{INT:src_port}\) -> %{DATA:dst_interface}/"
        r"%{IP:dst_ip}\(%{INT:dst_port}\) "
        rf"hit-cnt %{{INT:hit_count}} %{{CISCO_INTERVAL:interval}} {_HASHES}"
    ),
    "CISCOFW106100": (
        r"access-list %{NOTSPACE:policy_id} %{CISCO_ACTION:action} %{WORD:protocol} %{DATA:src_interface}/%{IP:src_ip}"
        rf"\(%{{INT:src_port}}\){_user('src_fwuser')} -> %{{DATA:dst_interface}}/%{{IP:dst_ip}}"
        rf"\(%{{INT:dst_port}}\){_user('dst_fwuser')} hit-cnt %{{INT:hit_count}} %{{CISCO_INTERVAL:interval}} {_HASHES}"
    ),
    "CISCOFW110002": rf"%{{CISCO_REASON:reason}} for %{{WORD:protocol}} from {_BETWEEN[0]} to {_ASA_TARGET}",
    "CISCOFW302010": r"%{INT:connection_count} in use, %{INT:connection_count_max} most used",
    "CISCOFW302013_302014_302015_302016": (
        r"%{CISCO_ACTION:action}(?: %{CISCO_DIRECTION:direction})? %{WORD:protocol} connection "
        r"%{INT:connection_id} for "
        rf"{_BETWEEN[0]}(?: \(%{{IP:src_mapped_ip}}/%{{INT:src_mapped_port}}\))?{_user('src_fwuser')} to "
        rf"{_BETWEEN[1]}(?: \(%{{IP:dst_mapped_ip}}/%{{INT:dst_mapped_port}}\))?{_user('dst_fwuser')}"
        r"(?: duration %{TIME:duration} bytes %{INT:bytes})?(?: (?<reason>[A-Za-z][A-Za-z -]*[A-Za-z]))?"
        r"(?: \(%{DATA:user}\))?"
    ),
    "CISCOFW302020_302021": (
        r"%{CISCO_ACTION:action}(?: %{CISCO_DIRECTION:direction})? %{WORD:protocol} connection for faddr "
        rf"%{{IP:dst_ip}}/%{{INT:icmp_seq_num}}{_user('fwuser')} gaddr %{{IP:src_xlated_ip}}/%{{INT:icmp_code_xlated}} "
        r"laddr %{IP:src_ip}/%{INT:icmp_code}(?: \(%{DATA:user}\))?"
    ),
    "CISCOFW304001": rf"%{{IP:src_ip}}{_user('src_fwuser')} Accessed URL %{{IP:dst_ip}}:%{{GREEDYDATA:dst_url}}",
    "CISCOFW305011": (
        r"%{CISCO_ACTION:action} %{CISCO_XLATE_TYPE:xlate_type} %{WORD:protocol} translation from "
        r"%{DATA:src_interface}:"
        rf"%{{IP:src_ip}}(?:/%{{INT:src_port}})?{_user('src_fwuser')} to %{{DATA:src_xlated_interface}}:"
        r"%{IP:src_xlated_ip}/%{INT:src_xlated_port}"
    ),
    "CISCOFW313001_313004_313008": (
        r"%{CISCO_ACTION:action} %{WORD:protocol} type=%{INT:icmp_type}, code=%{INT:icmp_code} from %{IP:src_ip} on "
        r"interface %{NOTSPACE:interface}(?: to %{IP:dst_ip})?"
    ),
    "CISCOFW313005": (
        r"%{CISCO_REASON:reason} for %{WORD:protocol} error message: %{WORD:err_protocol} src "
        r"%{DATA:err_src_interface}:"
        rf"%{{IP:err_src_ip}}{_user('err_src_fwuser')} dst %{{DATA:err_dst_interface}}:%{{IP:err_dst_ip}}"
        rf"{_user('err_dst_fwuser')} \(type %{{INT:err_icmp_type}}, code %{{INT:err_icmp_code}}\) on "
        rf"%{{DATA:interface}} "
        r"interface\. +Original IP payload: %{WORD:protocol} src %{IP:orig_src_ip}/%{INT:orig_src_port}"
        rf"{_user('orig_src_fwuser')} dst %{{IP:orig_dst_ip}}/%{{INT:orig_dst_port}}{_user('orig_dst_fwuser')}"
    ),
    "CISCOFW321001": r"Resource '%{DATA:resource_name}' limit of %{POSINT:resource_limit} reached for system",
    "CISCOFW402117": (
        r"%{WORD:protocol}: Received a non-IPSec packet \(protocol= ?%{WORD:orig_protocol}\) from %{IP:src_ip} to "
        r"%{IP:dst_ip}"
    ),
    "CISCOFW402119": (
        r"%{WORD:protocol}: Received an %{WORD:orig_protocol} packet \(SPI= ?%{DATA:spi}, sequence number= ?"
        r"%{DATA:seq_num}\) from %{IP:src_ip} \(user= ?%{DATA:user}\) to %{IP:dst_ip} that failed anti-replay checking"
    ),
    "CISCOFW419001": (
        rf"%{{CISCO_ACTION:action}} %{{WORD:protocol}} packet from {_BETWEEN[0]} to {_BETWEEN[1]}, reason: "
        r"%{GREEDYDATA:reason}"
    ),
    "CISCOFW419002": (
        rf"%{{CISCO_REASON:reason}} from {_BETWEEN[0]} to {_BETWEEN[1]} with different initial sequence number"
    ),
    "CISCOFW500004": rf"%{{CISCO_REASON:reason}} for protocol=%{{WORD:protocol}}, from {_ASA_SOURCE} to {_ASA_TARGET}",
    "CISCOFW602303_602304": (
        r"%{WORD:protocol}: An %{CISCO_DIRECTION:direction} %{DATA:tunnel_type} SA \(SPI= ?%{DATA:spi}\) between "
        r"%{IP:src_ip} and %{IP:dst_ip} \(user= ?%{DATA:user}\) has been %{CISCO_ACTION:action}"
    ),
    "CISCOFW710001_710002_710003_710005_710006": (
        rf"%{{WORD:protocol}} (?:request|access) %{{CISCO_ACTION:action}} from {_ASA_SOURCE} to {_BETWEEN[1]}"
    ),
    "CISCOFW713172": (
        r"Group = %{DATA:group}, IP = %{IP:src_ip}, Automatic NAT Detection Status:\s+Remote end\s*"
        r"%{DATA:is_remote_natted}\s*behind a NAT device\s+This\s+end\s*%{DATA:is_local_natted}\s*behind a NAT device"
    ),
    "CISCOFW733100": (
        r"\[\s*%{DATA:drop_type}\s*\] drop %{DATA:drop_rate_id} exceeded\. Current burst rate is "
        r"%{INT:drop_rate_current_burst} per second, max configured rate is "
        r"%{INT:drop_rate_max_burst}; Current average "
        r"rate is %{INT:drop_rate_current_avg} per second, max configured rate is %{INT:drop_rate_max_avg}; Cumulative "
        r"total count is %{INT:drop_total_count}"
    ),
}

_FLOW = r"%{IP:src-ip}/%{INT:src-port}->%{IP:dst-ip}/%{INT:dst-port} %{DATA:service}"
_NAT = (
    r"%{IP:nat-src-ip}/%{INT:nat-src-port}->%{IP:nat-dst-ip}/%{INT:nat-dst-port} %{NOTSPACE:src-nat-rule-name} "
    r"%{NOTSPACE:dst-nat-rule-name} %{INT:protocol-id}"
)
_ZONES = r"%{NOTSPACE:policy-name} %{NOTSPACE:from-zone} %{NOTSPACE:to-zone}"
_NETFILTER = (
    r"SRC=%{IP:nf_src_ip} DST=%{IP:nf_dst_ip} LEN=%{INT:nf_len}(?: TOS=%{WORD:nf_tos} PREC=%{WORD:nf_prec})?"
    r"(?: TTL=%{INT:nf_ttl} ID=%{INT:nf_id})?.*?PROTO=%{WORD:nf_protocol}"
    r"(?: SPT=%{INT:nf_src_port} DPT=%{INT:nf_dst_port})?"
)
_NETFILTER_IN = (
    r"IN=%{NETFILTER_NAME:nf_in_interface}? OUT=%{NETFILTER_NAME:nf_out_interface}?"
    r"(?: MAC=(?:%{COMMONMAC:nf_dst_mac}:%{COMMONMAC:nf_src_mac})?\S*)?"
)
_ZEEK_FLOW = r"%{NUMBER:ts}\t%{NOTSPACE:uid}\t%{IP:orig_h}\t%{INT:orig_p}\t%{IP:resp_h}\t%{INT:resp_p}"


def _tabs(names: str) -> str:
    """Fields that tabs part; a field may be empty."""
    return r"\t".join(rf"(?<{name}>[^\t]*)" for name in names.split())


_CONN = _tabs(
    "service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts "
    "orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents"
)
_FILES = _tabs(
    "source depth analyzers mime_type filename duration local_orig is_orig seen_bytes total_bytes missing_bytes "
    "overflow_bytes timedout parent_fuid md5 sha1 sha256 extracted"
)

NETWORK: dict[str, str] = ASA | {
    "NETSCREENSESSIONLOG": (
        r"%{SYSLOGTIMESTAMP:date} %{IPORHOST:device} %{IPORHOST}: NetScreen device_id=%{WORD:device_id}%{DATA}: "
        r"start_time=%{QUOTEDSTRING:start_time} duration=%{INT:duration} policy_id=%{INT:policy_id} "
        r"service=%{DATA:service} proto=%{INT:proto} src zone=%{WORD:src_zone} dst zone=%{WORD:dst_zone} "
        r"action=%{WORD:action} sent=%{INT:sent} rcvd=%{INT:rcvd} src=%{IPORHOST:src_ip} dst=%{IPORHOST:dst_ip} "
        r"src_port=%{INT:src_port} dst_port=%{INT:dst_port} src-xlated ip=%{IPORHOST:src_xlated_ip} "
        r"port=%{INT:src_xlated_port} dst-xlated ip=%{IPORHOST:dst_xlated_ip} port=%{INT:dst_xlated_port} "
        r"session_id=%{INT:session_id} reason=%{GREEDYDATA:reason}"
    ),
    "NETFILTER_NAME": r"[A-Za-z0-9._@-]+",
    "IPTABLES_TCP_FLAGS": r"(?:CWR|ECE|URG|ACK|PSH|RST|SYN|FIN)\b(?: (?:CWR|ECE|URG|ACK|PSH|RST|SYN|FIN)\b)*",
    "IPTABLES_TCP_PART": (
        r"(?:SEQ=%{INT:nf_tcp_seq} )?(?:ACK=%{INT:nf_tcp_ack} )?WINDOW=%{INT:nf_tcp_window} RES=%{BASE16NUM:nf_tcp_res}"
        r"(?: %{IPTABLES_TCP_FLAGS:nf_tcp_flags})?"
    ),
    "IPTABLES4_FRAG": r"(?:CE|DF|MF)(?: (?:CE|DF|MF))*",
    "IPTABLES4_PART": (
        r"SRC=%{IPV4:nf_src_ip} DST=%{IPV4:nf_dst_ip} LEN=%{INT:nf_len} TOS=%{WORD:nf_tos} PREC=%{WORD:nf_prec} "
        r"TTL=%{INT:nf_ttl} ID=%{INT:nf_id}(?: %{IPTABLES4_FRAG:nf_frag})?(?: FRAG:%{INT:nf_frag_offset})?"
    ),
    "IPTABLES6_PART": (
        r"SRC=%{IPV6:nf_src_ip} DST=%{IPV6:nf_dst_ip} LEN=%{INT:nf_len} TC=%{WORD:nf_tc} HOPLIMIT=%{INT:nf_ttl} "
        r"FLOWLBL=%{INT:nf_flow_label}"
    ),
    "IPTABLES": (
        rf"{_NETFILTER_IN} (?:%{{IPTABLES4_PART}}|%{{IPTABLES6_PART}}).*?PROTO=%{{WORD:nf_protocol}}"
        r"(?: SPT=%{INT:nf_src_port} DPT=%{INT:nf_dst_port})?(?: %{IPTABLES_TCP_PART})?"
    ),
    "SHOREWALL": (
        r"%{SYSLOGTIMESTAMP:timestamp} %{NOTSPACE:nf_host} .*?Shorewall:%{WORD:nf_action1}:%{WORD:nf_action2}:?.*?"
        rf"{_NETFILTER_IN} {_NETFILTER}"
    ),
    "SFW2_LOG_PREFIX": r"SFW2-INext-%{NOTSPACE:nf_action}",
    "SFW2": (
        r"(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})\s+%{HOSTNAME}\s+kernel\S*\s+"
        rf"(?:\[\s*[0-9.]+\]\s+)?%{{SFW2_LOG_PREFIX}}\s+{_NETFILTER_IN}\s+{_NETFILTER}"
    ),
    "RT_FLOW_EVENT": r"(?:RT_FLOW_SESSION_CREATE|RT_FLOW_SESSION_CLOSE|RT_FLOW_SESSION_DENY)",
    "RT_FLOW_TAG": r"%{RT_FLOW_EVENT}",
    "RT_FLOW1": (
        rf"%{{RT_FLOW_EVENT:event}}: %{{DATA:close-reason}}: {_FLOW} {_NAT} {_ZONES} %{{INT:session-id}} "
        r"[0-9]+\(%{INT:sent}\) [0-9]+\(%{INT:received}\) %{INT:elapsed-time}.*"
    ),
    "RT_FLOW2": rf"%{{RT_FLOW_EVENT:event}}: session created {_FLOW} {_NAT} {_ZONES} %{{INT:session-id}}.*",
    "RT_FLOW3": rf"%{{RT_FLOW_EVENT:event}}: session denied {_FLOW} %{{INT:protocol-id}}\([0-9]+\) {_ZONES}.*",
    "BRO_HTTP": _ZEEK_FLOW
    + r"\t%{INT:trans_depth}\t"
    + _tabs(
        "method domain uri referrer user_agent request_body_len response_body_len status_code status_msg info_code "
        "info_msg filename bro_tags username password proxied orig_fuids orig_mime_types resp_fuids resp_mime_types"
    ),
    "BRO_DNS": _ZEEK_FLOW
    + r"\t%{WORD:proto}\t%{INT:trans_id}\t"
    + _tabs("query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected"),
    "BRO_CONN": _ZEEK_FLOW
    + rf"\t%{{WORD:proto}}\t{_CONN}"
    + r"(?:\t%{NOTSPACE:orig_cc}\t%{NOTSPACE:resp_cc}\t%{NOTSPACE:sensorname})?",
    "BRO_FILES": r"%{NUMBER:ts}\t%{NOTSPACE:fuid}\t%{IP:tx_hosts}\t%{IP:rx_hosts}\t%{NOTSPACE:conn_uids}\t" + _FILES,
    "BRO_BOOL": r"[TF]",
    "BRO_DATA": r"[^\t]+",
    "ZEEK_BOOL": r"[TF]",
    "ZEEK_DATA": r"[^\t]+",
    "ZEEK_HTTP": _ZEEK_FLOW
    + r"\t%{INT:trans_depth}\t"
    + _tabs(
        "method domain uri referrer version user_agent origin request_body_len response_body_len status_code "
        "status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames orig_mime_types "
        "resp_fuids resp_filenames resp_mime_types"
    ),
    "ZEEK_DNS": _ZEEK_FLOW
    + r"\t%{WORD:proto}\t"
    + _tabs(
        "trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected"
    ),
    "ZEEK_CONN": _ZEEK_FLOW + rf"\t%{{WORD:proto}}\t{_CONN}(?:\t{_tabs('orig_l2_addr resp_l2_addr')})?",
    "ZEEK_FILES_TX_HOSTS": r"(?<tx_hosts>[^\t]*)",
    "ZEEK_FILES_RX_HOSTS": r"(?<rx_hosts>[^\t]*)",
    "ZEEK_FILES": r"%{NUMBER:ts}\t%{NOTSPACE:fuid}\t%{ZEEK_FILES_TX_HOSTS}\t%{ZEEK_FILES_RX_HOSTS}\t"
    rf"{_tabs('conn_uids')}\t{_FILES}(?:\t{_tabs('extracted_cutoff extracted_size')})?",
    "ZEEK_X509": r"%{NUMBER:ts}\t%{NOTSPACE:id}\t"
    + _tabs(
        "certificate.version certificate.serial certificate.subject certificate.issuer certificate.not_valid_before "
        "certificate.not_valid_after certificate.key_alg certificate.sig_alg certificate.key_type "
        "certificate.key_length certificate.exponent certificate.curve san.dns san.uri san.email san.ip "
        "basic_constraints.ca basic_constraints.path_len"
    ),
    "SQUID3_STATUS": r"(?:%{POSINT:status_code}|0+)",
    "SQUID3": (
        r"%{NUMBER:timestamp}\s+%{NUMBER:duration}\s%{IP:client_address}\s%{WORD:cache_result}/%{NONNEGINT:status_code}\s"
        r"%{NUMBER:bytes}\s%{NOTSPACE:request_method}\s%{NOTSPACE:url}\s(?:-|%{NOTSPACE:user})\s"
        r"%{WORD:hierarchy_code}/(?:-|%{IPORHOST:server})\s(?:-|%{NOTSPACE:content_type})"
    ),
    "BIND9_TIMESTAMP": r"%{MONTHDAY}-%{MONTH}-%{YEAR} %{TIME}",
    "BIND9_DNSTYPE": r"[A-Z][A-Z0-9-]*",
    "BIND9_CATEGORY": r"queries",
    "BIND9_QUERYLOGBASE": (
        r"client(?: @0x[0-9A-Fa-f]+)? %{IP:clientip}#%{POSINT:clientport:int} \((?<query>[^)]*)\): "
        r"(?:view \S+: )?query: "
        r"(?<query>\S+) (?<queryclass>IN|CH|HS|ANY|NONE|CLASS[0-9]+) %{BIND9_DNSTYPE:querytype} ?"
        r"(?<queryflags>[+-][A-Z0-9()]*)?"
    ),
    "BIND9_QUERYLOG": r"%{BIND9_QUERYLOGBASE}(?: \(%{IP:dns}\))?",
    "BIND9": r"%{BIND9_TIMESTAMP:timestamp} %{BIND9_CATEGORY}: %{LOGLEVEL:loglevel}: %{BIND9_QUERYLOG}",
}
