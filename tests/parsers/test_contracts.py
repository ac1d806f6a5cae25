"""What every parser must hold, for each of the built-in ones that read one format or one field; the others' stand in
`tests/plugins/test_conformance.py`."""

from typing import Any

import polars as pl
import pytest
from cordwood.parsers.alb import Alb
from cordwood.parsers.apache_error import ApacheError
from cordwood.parsers.auditd import Auditd
from cordwood.parsers.auto import Auto, AutoConfig
from cordwood.parsers.cef import Cef
from cordwood.parsers.csv import Csv
from cordwood.parsers.dedupe import Dedupe
from cordwood.parsers.drop import Drop
from cordwood.parsers.flatten import Flatten
from cordwood.parsers.glog import Glog
from cordwood.parsers.haproxy import Haproxy
from cordwood.parsers.java import Java
from cordwood.parsers.json import Json, JsonConfig
from cordwood.parsers.leef import Leef
from cordwood.parsers.log4j import Log4j
from cordwood.parsers.logcat import Logcat
from cordwood.parsers.mongodb import Mongodb
from cordwood.parsers.mysql import Mysql
from cordwood.parsers.nginx_error import NginxError
from cordwood.parsers.oslo import Oslo
from cordwood.parsers.postgresql import Postgresql, PostgresqlConfig
from cordwood.parsers.python import Python
from cordwood.parsers.redis import Redis
from cordwood.parsers.rename import Rename, RenameConfig
from cordwood.parsers.sample import Sample, SampleConfig
from cordwood.parsers.set import Set, SetConfig
from cordwood.parsers.severity import Severity
from cordwood.parsers.split import Split
from cordwood.parsers.sshd import Sshd
from cordwood.parsers.storm import Storm
from cordwood.parsers.syslog import Syslog
from cordwood.parsers.throttle import Throttle
from cordwood.parsers.url import Url
from cordwood.parsers.user_agent import UserAgent
from cordwood.parsers.vpc_flow import VpcFlow
from cordwood.parsers.w3c import W3c
from cordwood.parsers.xml import Xml, XmlConfig
from cordwood.plugins import Batch, PluginConfig
from cordwood.plugins.conformance import parser_contract

test_alb = parser_contract(
    Alb,
    lines=[
        '2015-05-13T23:39:43.9Z b 10.0.0.7:28 10.0.0.1:80 0.1 0.2 0.3 200 200 0 2 "GET http://x:80/ HTTP/1.1" "c" - -'
    ],
)
test_apache_error = parser_contract(ApacheError, lines=["[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok"])
test_auditd = parser_contract(Auditd, lines=['type=SYSCALL msg=audit(1364481363.243:24287): success=no comm="cat"'])
test_auto = parser_contract(Auto, {"formats": ["json", "logfmt", "glog"]}, ['{"a": 1, "msg": "x"}', "level=info n=1"])
test_cef = parser_contract(
    Cef, lines=["CEF:0|v|p|1|100|worm|10|src=10.0.0.1 msg=two words", "CEF:0|v|p|1|100|worm|10|"]
)
test_csv = parser_contract(Csv, {"columns": ["time", "msg"]}, ['2026-01-15T10:00:00Z,"a, b"', ",x"])
test_dedupe = parser_contract(Dedupe, {"fields": ["message"]}, ["a", "b"])
test_drop = parser_contract(Drop, lines=["x"])
test_flatten = parser_contract(Flatten, {"field": "message"}, ['{"a": {"b": 1}}', "{", "x"])
test_glog = parser_contract(Glog, lines=["E0314 15:09:26.535897    1234 server.go:42] connection refused"])
test_haproxy = parser_contract(
    Haproxy, lines=["10.0.1.2:3 [06/Feb/2026:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"]
)
test_java = parser_contract(Java, lines=["x\njava.lang.Error: y\n\tat a.B.c(B.java:1)", "no trace"])
test_leef = parser_contract(
    Leef, lines=["LEEF:2.0|V|P|1.0|41|^|src=10.0.1.8^sev=5^msg=scan", "LEEF:1.0|V|P|1|e|a=b\tc=d"]
)
test_log4j = parser_contract(Log4j, lines=["2026-01-31 12:00:00,123 INFO [main] org.example.App: started"])
test_logcat = parser_contract(Logcat, lines=["03-17 16:13:38.811  1702  2395 D WindowManager: on"])
test_mongodb = parser_contract(
    Mongodb,
    lines=[
        '{"t":{"$date":"2026-01-31T12:00:00.123+00:00"},"s":"I","c":"NETWORK","id":1,"ctx":"listener","msg":"up"}',
        "2014-11-03T18:28:32.450-0500 I NETWORK [initandlisten] waiting",
    ],
)
test_mysql = parser_contract(Mysql, lines=["2026-01-31T12:00:00.123456Z 0 [Warning] [MY-010068] [Server] self signed"])
test_nginx_error = parser_contract(
    NginxError, lines=["2026/01/31 12:00:00 [error] 1#2: *9 failed, client: 1.2.3.4, server: x"]
)
test_oslo = parser_contract(Oslo, lines=["2017-05-16 00:00:04.500 2931 INFO nova.virt [-] spawned"])
test_postgresql = parser_contract(
    Postgresql,
    lines=[
        "2026-01-31 12:00:00.123 UTC [1234] ada@shop ERROR:  no such table",
        '{"timestamp":"2026-01-31 12:00:00.123 UTC","pid":7,"error_severity":"LOG","message":"x"}',
    ],
)
test_python = parser_contract(
    Python, lines=['x\nTraceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: 1', "none"]
)
test_rename = parser_contract(Rename, {"fields": {"log.file.path": "file", "a": ""}}, ["x"])
test_redis = parser_contract(Redis, lines=["1:M 31 Jan 2026 12:00:00.123 * Ready to accept connections tcp"])
test_sample = parser_contract(Sample, {"share": 0.5}, ["x"])
test_set = parser_contract(Set, {"fields": {"a": 1, "b": "{message} {log.file.path}"}}, ["x"])
test_severity = parser_contract(Severity, {"words": {"KO": "error"}}, ["[warn] x", "KO", "nothing"])
test_severity_of_a_field = parser_contract(Severity, {"field": "log.file.path"}, ["x"])
test_split = parser_contract(Split, lines=['[{"a": 1}, {"a": 2, "host": "x"}]', "[1, null]", "plain"])
test_split_text = parser_contract(Split, {"separator": "\n"}, ["a\nb", "c"])
test_sshd = parser_contract(
    Sshd, lines=["Failed password for root from 10.0.0.1 port 5 ssh2", "Dec 10 06:55:46 lab sshd[2]: Exiting"]
)
test_syslog = parser_contract(
    Syslog, lines=["Jan 31 12:00:00 web-1 sshd[24200]: listening", "<34>1 2026-01-10T12:00:00Z h a - - - m"]
)
test_storm = parser_contract(Storm, {"events": 1}, ["disk 1 full", "disk 2 full", "other"])
test_throttle = parser_contract(Throttle, {"events": 3, "by": ["message"]}, ["a", "b"])
test_url = parser_contract(Url, {"field": "log.file.path", "parameters": ["a"]}, ["x"])
test_user_agent = parser_contract(UserAgent, {"field": "log.file.path"}, ["x"])
test_vpc_flow = parser_contract(
    VpcFlow,
    lines=["2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"],
)
test_w3c = parser_contract(
    W3c, {"fields": "date time c-ip sc-status"}, ["2026-01-31 12:00:00 10.0.0.1 200", "#Fields: x"]
)
test_xml = parser_contract(Xml, lines=["<a><b>1</b></a>", "<Event><System><Level>2</Level></System></Event>"])


@pytest.mark.parametrize("name", ["regex", "java", "nothing"])
def test_auto_knows_only_what_can_be_told(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is no format that can be told from a sample; there are alb, "):
        AutoConfig(formats=[name])


@pytest.mark.parametrize("prefix", ["%p ", "%m %y ", "%m %t "])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"the prefix has no time|is no escape|says again"):
        PostgresqlConfig(prefix=prefix)


def test_a_deep_element_and_a_large_one_are_refused() -> None:
    lines = ["<a>" * 60 + "</a>" * 60, "<a>" + "<b/>" * 3_000 + "</a>", "<a>" + "x" * 300_000 + "</a>"]
    errors = Xml(XmlConfig()).parse(Batch.from_lines(lines)).frame["parse_error"].to_list()
    assert errors == ["xml: more than 50 elements deep, or more than 2000 elements"] * 2 + [
        "xml: longer than 262144 characters (largest)"
    ]


def test_a_group_beyond_those_told_apart_is_parsed_with_the_others() -> None:
    lines = [f'{{"service": "s{n}", "a": 1}}' for n in range(50)]
    parsed = Json(JsonConfig()).parse(Batch.from_lines(lines)).frame.with_columns(message=pl.lit("level=info n=1"))
    assert Auto(AutoConfig()).parse(Batch(parsed)).frame["log.format"].to_list() == ["logfmt"] * 50


def test_a_sample_holds_its_share_and_keeps_together_what_belongs_together() -> None:
    batch = Batch.of(
        Batch.from_lines([f"line {n}" for n in range(20_000)]).frame.with_columns(trace_id=pl.arange(20_000) // 4)
    )
    kept = Sample(SampleConfig(share=0.1)).keeps(batch)
    assert 0.08 < kept.sum() / len(kept) < 0.12
    whole = batch.frame.with_columns(kept=Sample(SampleConfig(share=0.1, by="trace_id")).keeps(batch))
    assert set(whole.group_by("trace_id").agg(pl.col("kept").sum())["kept"]) == {0, 4}
    assert 0.08 < whole["kept"].sum() / len(whole) < 0.12


@pytest.mark.parametrize(
    ("config", "settings", "reason"),
    [
        (RenameConfig, {"fields": {"message": "text"}}, "message is a standard field"),
        (RenameConfig, {"fields": {"a": "x", "b": "x"}}, "two fields would be x"),
        (SetConfig, {"fields": {"parse_error": "x"}}, "parse_error is Cordwood's own"),
        (SetConfig, {"fields": {"a": "{timestamp}"}}, "cannot stand in a text"),
        (SampleConfig, {"share": 1}, "less than 1"),
    ],
)
def test_a_wrong_setting_is_refused(config: type[PluginConfig], settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        config.model_validate(settings)
