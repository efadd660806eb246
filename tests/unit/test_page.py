from app.links import View, choose
from app.page import SESSIONS, Seen

FLASK, DJANGO = (View(choose(name, [])) for name in ("flask", "django"))


def test_the_latest_view_of_each_visitor():
    seen = Seen()
    seen.note("one", FLASK)
    seen.note("two", DJANGO)
    assert seen.latest("one") == FLASK
    seen.note("one", DJANGO)
    assert seen.latest("one") == DJANGO
    assert seen.latest("three") is None


def test_who_was_here_longest_ago_is_forgotten():
    seen = Seen()
    for session in range(SESSIONS):
        seen.note(str(session), FLASK)
    seen.note("0", DJANGO)
    seen.note("new", FLASK)
    assert seen.latest("0") == DJANGO
    assert seen.latest("1") is None
