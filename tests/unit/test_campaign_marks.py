"""The mark that a campaign adds to a reference: put on, recognised, taken off again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mensatek_async._wire.marks import Mark, marked, read_mark, unmarked

marks = st.builds(
    Mark,
    uid=st.from_regex(r"[0-9a-z]{8}", fullmatch=True),
    seq=st.integers(-(10**17), 10**17),
    token=st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
)


@given(st.text(max_size=60), marks)
def test_the_user_gets_back_what_they_gave(reference: str, mark: Mark) -> None:
    """Whatever stands in it, spaces at its end and things like a mark included."""
    wire = marked(reference, mark)

    assert unmarked(wire) == (reference, str(mark))
    assert read_mark(wire) == mark


def test_what_is_no_mark_stays() -> None:
    """References of users that look a little like one."""
    cut = ("", "abcdefgh:1:0123", "abcdefgh:1:0123456z", "abcdefg:1:01234567", "abcdefgh:1:01234567 ")
    other = ("abcdefgh:one:01234567", "abcdefgh:9999999999999999999:01234567")
    for reference in (
        "",
        "pedido 7",
        "x#mk:abcdefgh:1:01234567",
        *(f"#mk:{rest}" for rest in (*cut, *other)),
    ):
        assert unmarked(reference) == (reference, "")
        assert read_mark(reference) is None
