"""The token filter: never a false no, few false yeses, and no reader of Parquet minds it."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from cordwood.core.storage.encode import VARIABLE_TOKEN, encode_frame
from cordwood.core.storage.token_filter import GRAM_BYTES, TokenFilter, _in_lines, _variable_tokens, build
from cordwood.plugins.batch import Batch
from hypothesis import given
from hypothesis import strategies as st

ROWS = 4

characters = st.sampled_from("abcdefxyzABCXYZ0123456789-_.:/=ÄäßİK\u00e9☃")
words = st.text(characters, min_size=1, max_size=60)
records = st.fixed_dictionaries(
    {"message": st.lists(words, max_size=4).map(" ".join)},
    optional={"trace_id": words, "user": words, "_odd": words, "n": st.integers(-5, 5)},
)


def opened(folder: Path, frame: pl.DataFrame, rows: int = ROWS) -> TokenFilter:
    path = folder / "1.parquet"
    path.write_bytes(encode_frame(frame, row_group=rows, filtered=True).data)
    found = TokenFilter.open(path)
    assert found is not None
    return found


@given(events=st.lists(records, min_size=1, max_size=12), data=st.data())
def test_what_is_there_is_never_denied(
    events: list[dict[str, object]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = Batch.from_records(events, observed=1).frame
    token_filter = opened(tmp_path_factory.mktemp("filter"), frame)
    for row, event in enumerate(events):
        group = row // ROWS
        for field in ("trace_id", "user", "_odd"):
            if field in event:
                assert token_filter.value(field, str(event[field]))[group]
        for token in str(event["message"]).split(" "):
            if not any("0" <= c <= "9" for c in token):
                continue
            start = data.draw(st.integers(0, len(token)))
            part = token[start : data.draw(st.integers(start, len(token)))]
            lowered = duckdb.execute("select lower(?)", [part]).fetchall()[0][0]  # as queries compare
            assert token_filter.in_variable_token(lowered)[group], part


@given(st.lists(st.text("ab1 2\t\n\r\x0b\x0c\x0e\x1f\x85\u2003ä9/:", max_size=60), max_size=5))
def test_tokens_are_those_that_templates_leave_out(messages: list[str]) -> None:
    lines = list(_in_lines(pl.Series(messages, dtype=pl.String)))
    assert b"".join(text.tobytes() for text in lines) == "".join(f"{message}\n" for message in messages).encode()
    wanted = [token for message in messages for token in re.findall(VARIABLE_TOKEN, message)]
    tokens, long = zip(*map(_variable_tokens, lines), strict=True) if lines else ((), ())
    assert b"".join(text.tobytes() for text in tokens).decode() == "".join(f"{token}\n" for token in wanted)
    assert b"".join(text.tobytes() for text in long).decode() == "".join(
        f"{token}\n" for token in wanted if len(token.encode()) >= 20
    )


def test_row_groups_without_messages(tmp_path: Path) -> None:
    events = [{"user": "ada"}] * ROWS + [{"message": "", "user": "bob"}] * ROWS + [{"message": "took 12ms"}]
    token_filter = opened(tmp_path, Batch.from_records(events, observed=1).frame)
    assert token_filter.in_variable_token("12ms").tolist() == [False, False, True]
    assert token_filter.value("user", "ada").tolist() == [True, False, False]


def test_identifiers_are_found_in_few_other_row_groups(tmp_path: Path) -> None:
    chance = random.Random(7)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(8000)]
    frame = Batch.from_records(
        [{"message": f"done request={i[:20]}-{i[20:]} in 12ms", "trace_id": i[::-1]} for i in ids], observed=1
    ).frame
    token_filter = opened(tmp_path, frame, 1000)
    assert len(token_filter.groups) == 8
    by_value = sum(int(token_filter.value("trace_id", i[::-1]).sum()) for i in ids[:1000])
    by_word = sum(int(token_filter.in_variable_token(f"{i[:20]}-{i[20:]}").sum()) for i in ids[:1000])
    assert 1000 <= by_value < 1000 * (1 + 7 * 0.02)  # 0.8 % of seven row groups, in theory
    assert 1000 <= by_word < 1000 * (1 + 7 * 0.01)
    assert not token_filter.in_variable_token("zanzibar").any()


def test_what_recurs_takes_room_once() -> None:
    """Lines of JSON, as a file has them: their keys recur in every token, and are the same fingerprints."""
    chance = random.Random(3)
    lines = [
        f'{{"level":"info","service":"inventory","path":"/api/v1/variant/history","user":{n}}}' for n in range(2000)
    ]
    ids = [f"{chance.getrandbits(256):064x}" for _ in range(2000)]
    same, other = (
        len(build(Batch.from_records([{"message": text} for text in texts], observed=1).frame, 2000))
        for texts in (lines, ids)
    )
    assert same - GRAM_BYTES < (other - GRAM_BYTES) / 4  # each line is longer than an id, and ends like no other


def test_readers_of_parquet_see_only_the_rows(tmp_path: Path) -> None:
    frame = Batch.from_records([{"message": f"took {n}ms", "user": f"u{n}"} for n in range(10)], observed=1).frame
    plain, filtered = tmp_path / "plain.parquet", tmp_path / "filtered.parquet"
    plain.write_bytes(encode_frame(frame, row_group=ROWS).data)
    filtered.write_bytes(encode_frame(frame, row_group=ROWS, filtered=True).data)
    assert filtered.stat().st_size > plain.stat().st_size + len(build(frame, ROWS)) - 1
    assert pq.read_table(filtered).equals(pq.read_table(plain))
    assert pl.read_parquet(filtered).equals(pl.read_parquet(plain))
    rows = "select * from read_parquet(?)"
    assert duckdb.execute(rows, [str(filtered)]).fetchall() == duckdb.execute(rows, [str(plain)]).fetchall()
    assert TokenFilter.open(plain) is None


def test_long_texts_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.core.storage.token_filter._AT_ONCE", 700)
    chance = random.Random(5)
    words = [chance.randbytes(chance.choice((3, 20, 90, 900))).hex() for _ in range(200)]
    frame = Batch.from_records(
        [{"message": f"{word} took 12ms", "user": word[:30]} for word in words], observed=1
    ).frame
    token_filter = opened(tmp_path, frame, 50)
    for row, word in enumerate(words):
        assert token_filter.in_variable_token(word)[row // 50]
        assert token_filter.in_variable_token(word[-35:])[row // 50]
        assert token_filter.value("user", word[:30])[row // 50]
    absent = [chance.randbytes(30).hex() for _ in range(100)]
    assert sum(token_filter.in_variable_token(word).any() for word in absent) < 10
