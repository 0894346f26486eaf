import string

import pytest
from holdfast_gui.models.palette import Entry, PaletteModel, fuzzy, ranked
from hypothesis import given
from hypothesis import strategies as st


def marked(query, text):
    match = fuzzy(query, text)
    return match and "".join(f"[{letter}]" if at in match.letters else letter for at, letter in enumerate(text))


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("res", "Resume in terminal", "[R][e][s]ume in terminal"),
        ("dep res", "Deploy the rest", "[D][e][p]loy the [r][e][s]t"),
        ("rit", "Resume in terminal", "[R]esume [i]n [t]erminal"),
        ("term", "Determine terminal", "Determine [t][e][r][m]inal"),
        ("nal", "Resume in terminal", "Resume in termi[n][a][l]"),
        ("esm", "Resume in terminal", None),
        ("rsm", "Resume in terminal", "[R]e[s]u[m]e in terminal"),
        ("res", "Retry after a dropped session", None),
        ("xyz", "Resume in terminal", None),
        ("", "Resume", "Resume"),
    ],
)
def test_letters_that_match(query, text, expected):
    assert marked(query, text) == expected


def test_the_start_of_a_word_is_better_than_its_middle():
    entries = [Entry("action", "1", "Unresolved"), Entry("action", "2", "Copy the resume command")]

    best = ranked("res", entries)

    assert [entry.id for entry, _ in best] == ["2", "1"]


def test_the_title_is_better_than_the_detail():
    entries = [
        Entry("session", "1", "Other things", "deploy"),
        Entry("session", "2", "A very long title that says something about deploy in the end"),
    ]

    best = ranked("deploy", entries)

    assert [entry.id for entry, _ in best] == ["2", "1"]


def test_without_a_query_the_order_stays():
    entries = [Entry("action", str(number), f"Action {number}") for number in range(3)]

    assert [entry.id for entry, _ in ranked("", entries)] == ["0", "1", "2"]


@given(st.text(alphabet=string.ascii_letters + " ßİé日", max_size=40), st.data())
def test_a_piece_of_a_text_always_matches_where_it_stands(text, data):
    start = data.draw(st.integers(0, len(text)))
    piece = text[start : data.draw(st.integers(start, len(text)))]

    match = fuzzy(piece, text)

    assert match is not None and all(0 <= at < len(text) for at in match.letters)


def test_headings_are_stepped_over(qapp):
    model = PaletteModel()
    model.show(ranked("", [Entry("action", "a", "A"), Entry("session", "s", "S"), Entry("command", "c", "C")]))

    rows = [model.step(-1, 1)]
    for _ in range(3):
        rows.append(model.step(rows[-1], 1))

    assert [model.entry(row).id for row in rows] == ["a", "s", "c", "a"]
    assert model.entry(0) is None and model.entry(99) is None


def test_an_empty_model_has_no_step(qapp):
    assert PaletteModel().step(0, 1) == -1


def test_of_sessions_that_match_about_as_well_the_newest_stays_first():
    newest = Entry("session", "1", "Retry uploads after a dropped connection", "kelp-api · 10:51")
    older = Entry("session", "2", "Refactor the billing webhook", "kelp-api · Thu 18:30")

    assert [entry.id for entry, _ in ranked("re", [newest, older])] == ["1", "2"]


def test_what_stands_behind_a_title_does_not_make_it_a_worse_answer():
    repair = Entry("action", "repair", "Repair held sessions")
    resume = Entry("action", "resume", "Resume", "Why does the nightly deploy time out, three nights in a row?")

    assert [entry.id for entry, _ in ranked("re", [repair, resume])] == ["resume", "repair"]
