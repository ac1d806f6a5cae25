"""Grok: every pattern that ships compiles, finds what it should, and wrong patterns are refused with a reason."""

from pathlib import Path

import pytest
from cordwood.parsers.grok import Expression, Grok, GrokConfig
from cordwood.parsers.grok.patterns import LAYOUTS, PATTERNS
from cordwood.plugins import Batch

WHOLE = {
    "USERNAME": ["ada.l-1_x"], "USER": ["ada"], "EMAILADDRESS": ["ada.l+x@mail.example.org"], "INT": ["-17", "+4"],
    "BASE10NUM": ["-1.5", ".5"], "NUMBER": ["3.14", "42"], "BASE16NUM": ["0xBEEF", "-ff"], "BASE16FLOAT": ["0x1f.8"],
    "POSINT": ["17"], "NONNEGINT": ["0"], "WORD": ["card_7"], "NOTSPACE": ["a/b?c"], "SPACE": ["  \t"],
    "GREEDYDATA": ["anything at all"], "QUOTEDSTRING": ['"a \\" b"', "'x'", "`y`"], "QS": ['""'],
    "UUID": ["123e4567-e89b-12d3-a456-426614174000"], "URN": ["urn:isbn:0451450523"],
    "MAC": ["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B7", "001b.4411.3ab7"], "CISCOMAC": ["001b.4411.3ab7"],
    "WINDOWSMAC": ["00-1B-44-11-3A-B7"], "COMMONMAC": ["00:1b:44:11:3a:b7"], "IPV4": ["203.0.113.255"],
    "IPV6": ["2001:db8::1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "1:2:3:4:5:6:7:8"], "IP": ["10.0.0.1", "::"],
    "HOSTNAME": ["web-1.example.org"], "IPORHOST": ["web-1", "10.0.0.1"], "HOSTPORT": ["web-1:8080"],
    "PATH": ["/var/log/x.log", "C:\\logs\\x"], "UNIXPATH": ["/a/b_c"], "TTY": ["/dev/pts/3"], "WINPATH": ["C:\\a\\b"],
    "URIPROTO": ["https"], "URIHOST": ["example.org:443"], "URIPATH": ["/a/b;c"], "URIPARAM": ["?a=1&b[]=2"],
    "URIPATHPARAM": ["/a?b=c"], "URI": ["https://ada:x@example.org:8443/a?b=c"],
    "MONTH": ["Jan", "December"], "MONTHNUM": ["1", "12"], "MONTHNUM2": ["07"], "MONTHDAY": ["31", "7"],
    "DAY": ["Monday", "Sun"], "YEAR": ["2026", "26"], "HOUR": ["23", "7"], "MINUTE": ["59"], "SECOND": ["60", "5.123"],
    "TIME": ["23:59:60,123"], "DATE_US": ["12/31/2026"], "DATE_EU": ["31.12.2026"], "ISO8601_TIMEZONE": ["Z", "+0530"],
    "TIMESTAMP_ISO8601": ["2026-01-31T12:00:00.123456Z", "2026-01-31 12:00"], "DATE": ["31-12-26"],
    "DATESTAMP": ["31.12.2026 12:00:00"], "TZ": ["PST", "UTC"],
    "DATESTAMP_RFC822": ["Sat Jan 31 2026 12:00:00 UTC"], "DATESTAMP_RFC2822": ["Sat, 31 Jan 2026 12:00:00 +0100"],
    "DATESTAMP_OTHER": ["Sat Jan 31 12:00:00 UTC 2026"], "DATESTAMP_EVENTLOG": ["20260131120000"],
    "HTTPDERROR_DATE": ["Sat Jan 31 12:00:00.123456 2026"], "SYSLOGTIMESTAMP": ["Jan  7 12:00:00"],
    "PROG": ["postfix/smtpd"], "SYSLOGPROG": ["sshd[7]", "kernel"], "SYSLOGHOST": ["web-1"],
    "SYSLOGFACILITY": ["<4.6>"], "HTTPDATE": ["31/Jan/2026:12:00:00 +0100"], "HTTPDUSER": ["ada@example.org", "-"],
    "SYSLOGBASE": ["Jan  7 12:00:00 <4.6> web-1 sshd[7]:"], "LOGLEVEL": ["WARN", "error", "EMERGENCY"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WHOLE.items() for text in texts])
def test_a_pattern_finds_the_whole_of(name: str, text: str) -> None:
    grok = Grok(GrokConfig(pattern=f"^<%{{{name}:found}}>$"))
    (event,) = grok.parse(Batch.from_lines([f"<{text}>"])).events()
    assert (event.get("found"), event.get("parse_error")) == (text, None)


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_compiles(name: str) -> None:
    assert Expression.of(f"%{{{name}:x}}", {}).fields[-1] or name


def test_the_names_that_logstash_documents_are_known() -> None:
    files = [line.split() for line in (Path(__file__).parent / "grok" / "names.txt").read_text().splitlines()]
    assert [name for file, *names in files if file != "#" for name in names if name not in PATTERNS] == []


def test_a_time_ends_where_its_digits_end() -> None:
    batch = Grok(GrokConfig(pattern="%{TIME:at}")).parse(Batch.from_lines(["12:00:001", "at 12:00:01, then"]))
    assert [event.get("at") for event in batch.events()] == [None, "12:00:01"]


def test_every_layout_is_of_a_pattern() -> None:
    assert LAYOUTS.keys() <= PATTERNS.keys()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("%{NOPE:x}", "there is no pattern NOPE"),
        ("%{A:x}", "A is made of itself: A → B → A"),
        ("plain", "takes nothing"),
        ("%{INT:x:decimal}", "decimal is no kind of value; there are bool, float, int, text"),
        ("(?<=a)%{INT:x}", "look-behind, is not supported"),
        ("%{INT:x", "takes nothing"),
        ("%{INT:x}(", "unclosed group"),
        ([], "there is no pattern"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        GrokConfig(pattern=pattern, definitions={"A": "%{B}", "B": "%{A}"})
